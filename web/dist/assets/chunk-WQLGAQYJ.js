import{k as e}from"./chunk-CQNRRKKR.js";var r=e(!!localStorage.getItem("enilab-exercise"));export{r as a};
