// Put a text on the clipboard. It is there on https and on localhost only; elsewhere a selected field is copied the old
// way.
export default function ({ data }) {
    if (!isNew(data.number)) return;
    const old = () => {
        const field = document.body.appendChild(document.createElement('textarea'));
        field.value = data.text;
        field.select();
        document.execCommand('copy');
        field.remove();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(data.text).catch(old); else old();
}
