// The types of what the page uses.
declare const uPlot: any;
export default uPlot;
