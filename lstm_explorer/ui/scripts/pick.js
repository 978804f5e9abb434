// Hand clicks on a chart to Python. A chart may be made anew at any time: so its clicks are asked for when a pointer
// goes down on it.
export default function ({ data, setTriggerValue }) {
    const first = !window.lstmExplorerPick;
    window.lstmExplorerPick ??= new Map();
    window.lstmExplorerPick.set(data.selector, setTriggerValue);
    if (!first) return;
    document.addEventListener('pointerdown', event => {
        for (const selector of window.lstmExplorerPick.keys()) {
            const chart = event.target.closest?.(selector)?.querySelector('.js-plotly-plot');
            if (!chart || chart.lstmExplorerPicks) continue;
            chart.lstmExplorerPicks = true;
            chart.on('plotly_click', ({ points: [point] }) =>
                window.lstmExplorerPick.get(selector)('picked', { x: Number(point.x), y: Number(point.y) }));
        }
    }, true);
}
