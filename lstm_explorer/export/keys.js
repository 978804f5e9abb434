// Plotly's buttons and sliders know the pointer only: this makes them stops of the Tab key, buttons that Enter and the
// space bar press, and sliders that the arrow keys move. A chart may be made anew while it is used: the new one's
// control then has the focus that its own had.
function reachByKeyboard() {
    if (window.lstmExplorerKeys) return;
    window.lstmExplorerKeys = true;
    let last = { name: '', time: 0 };
    const named = (element, role, name) => {
        element.setAttribute('tabindex', '0');
        element.setAttribute('role', role);
        element.setAttribute('aria-label', name);
    };
    const sliderOf = grip => {
        const chart = grip.closest('.js-plotly-plot'), grips = [...chart.querySelectorAll('.slider-grip-rect')];
        return { chart, slider: chart._fullLayout.sliders.filter(one => one.visible)[grips.indexOf(grip)] };
    };
    const offer = () => {
        for (const button of document.querySelectorAll('.updatemenu-button:not([tabindex])'))
            named(button, 'button', button.textContent);
        for (const grip of document.querySelectorAll('.js-plotly-plot .slider-grip-rect:not([tabindex])'))
            named(grip, 'slider', sliderOf(grip).slider?.currentvalue?.prefix ?? '');
        if (document.activeElement !== document.body || Date.now() - last.time > 5000) return;
        const again = [...document.querySelectorAll('.js-plotly-plot [tabindex][aria-label]')];
        again.find(one => one.getAttribute('aria-label') === last.name)?.focus({ preventScroll: true });
    };
    const move = (grip, by) => {
        const { chart, slider } = sliderOf(grip), end = slider.steps.length - 1;
        const at = Math.min(Math.max(slider.active + by, 0), end);
        const group = grip.closest('.slider-group'), rail = group.querySelector('.slider-rail-rect').getBoundingClientRect();
        const inset = 10;  // of Plotly's rail: the first and the last stop
        const clientX = rail.left + inset + (rail.width - 2 * inset) * at / end, clientY = rail.top + rail.height / 2;
        const where = { clientX, clientY, bubbles: true, view: window };
        group.querySelector('.slider-rail-touch-rect').dispatchEvent(new MouseEvent('mousedown', where));
        clearTimeout(chart.lstmExplorerLetGo);
        chart.lstmExplorerLetGo = setTimeout(() => chart.dispatchEvent(new MouseEvent('mouseup', where)), 400);
    };
    document.addEventListener('keydown', event => {
        const element = event.target;
        const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 4, PageDown: -4 }[event.key];
        if (element.matches?.('.updatemenu-button') && (event.key === 'Enter' || event.key === ' '))
            element.dispatchEvent(new MouseEvent('click', { bubbles: true, view: window }));
        else if (element.matches?.('.slider-grip-rect') && step) move(element, step);
        else return;
        last = { name: element.getAttribute('aria-label'), time: Date.now() };
        event.preventDefault();
    });
    let due = 0;
    const soon = () => { due ||= requestAnimationFrame(() => { due = 0; offer(); }); };
    new MutationObserver(soon).observe(document.documentElement, { subtree: true, childList: true });
    offer();
}
