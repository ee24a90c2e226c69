// uPlot and its styles, fetched together when the first chart is drawn.
import 'uplot/dist/uPlot.min.css';
export { default as Plot } from 'uplot';
