declare module "*.css";
declare module "uplot/uplot.css";
