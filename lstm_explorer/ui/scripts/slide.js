// Hand the place where the slider inside a chart was let go to Python. A chart may be made anew at any time: so it is
// asked for when a pointer goes down on it.
export default function ({ data, setTriggerValue }) {
    const first = !window.lstmExplorerSlide;
    window.lstmExplorerSlide ??= new Map();
    window.lstmExplorerSlide.set(data.selector, setTriggerValue);
    if (!first) return;
    const listen = event => {
        for (const selector of window.lstmExplorerSlide.keys()) {
            const chart = event.target.closest?.(selector)?.querySelector('.js-plotly-plot');
            if (!chart || chart.lstmExplorerSlides) continue;
            chart.lstmExplorerSlides = true;
            chart.on('plotly_sliderend', ({ step }) => window.lstmExplorerSlide.get(selector)('slid', step.label));
        }
    };
    for (const kind of ['pointerdown', 'mousedown', 'touchstart']) document.addEventListener(kind, listen, true);
}
