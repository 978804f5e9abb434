// Click an element as soon as it is there.
export default function ({ data }) {
    if (!isNew(data.number)) return;
    const look = () => {
        const button = document.querySelector(data.selector);
        if (button) button.click(); else setTimeout(look, 20);
    };
    look();
}
