import{k as e}from"./chunk-T7WYD53J.js";var r=e(!!localStorage.getItem("enilab-exercise"));export{r as a};
