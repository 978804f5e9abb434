// One press after another, each a while after the page has drawn the last; over when there is nothing left to press.
export default function ({ data }) {
    clearInterval(window.lstmExplorerPlay);
    if (!data.on) return;
    window.lstmExplorerPlay = setInterval(() => {
        const button = document.querySelector(data.selector);
        if (button && !button.disabled) button.click(); else clearInterval(window.lstmExplorerPlay);
    }, data.milliseconds);
}
