// Show a drawing, which Streamlit's own HTML element would take out. What is drawn is ours, with the reader's texts
// escaped. Where a slider moves the drawing, those of the steps around are here already, and are shown as soon as the
// slider says so: on a page of this size a rerun takes Streamlit 60 ms in the browser. Its slider sends no event: watch
// it.
export default function ({ data, parentElement }) {
    let room = parentElement.querySelector('.drawing');
    if (!room) {
        room = document.createElement('div');
        room.className = 'drawing';
        room.style.overflowX = 'auto';
        parentElement.appendChild(room);
    }
    room.show = () => {
        const slider = room.data.slider && document.querySelector(room.data.slider);
        const drawing = room.data.drawings[slider?.value] ?? room.data.drawings[room.data.at];
        if (room.shown === drawing) return;
        const focused = room.contains(document.activeElement)
            ? [...room.querySelectorAll('[tabindex]')].indexOf(document.activeElement) : -1;
        room.innerHTML = room.shown = drawing;
        const svg = room.querySelector('svg');
        if (svg?.viewBox.baseVal.width > 600) svg.style.minWidth = '660px';  // smaller, and nobody could read its words
        if (focused >= 0) room.querySelectorAll('[tabindex]')[focused]?.focus();
    };
    room.data = data;
    room.show();
    if (!data.slider || room.watch) return;
    room.watch = new MutationObserver(() => room.isConnected ? room.show() : room.watch.disconnect());
    room.watch.observe(document.body, { subtree: true, attributeFilter: ['aria-valuetext'] });
}
