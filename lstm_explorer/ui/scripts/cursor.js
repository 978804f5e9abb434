// Move the upright line of every chart where it stands: drawing a chart anew for it takes a quarter of a second.
export default function ({ data }) {
    for (const chart of document.querySelectorAll('.js-plotly-plot')) {
        const axis = chart._fullLayout?.xaxis;
        const shape = chart._fullLayout?.shapes?.find(shape => shape.name === 'cursor');
        if (!axis || !shape) continue;
        shape.x0 = shape.x1 = data.step;
        const x = axis._offset + axis.l2p(data.step);
        for (const path of chart.querySelectorAll(`.shapelayer path[data-index="${shape._index}"]`))
            path.setAttribute('d', path.getAttribute('d').replace(/([ML])[-\d.]+/g, `$1${x}`));
    }
}
