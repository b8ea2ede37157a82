// One chunk for all that draws with uPlot.
export { Chart } from "./chart.tsx";
export { Courses, CoursesOfTwo } from "./courses.tsx";
