import{m as e}from"./chunk-EEEXK5IQ.js";var r=e(!!localStorage.getItem("enilab-exercise"));export{r as a};
