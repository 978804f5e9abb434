// The keyboard reaches what is inside a chart (export/keys.js, which exported pages have too).
export default function () {
    reachByKeyboard();
}
