import{l as e}from"./chunk-JL6VBTXR.js";var r=e(!!localStorage.getItem("enilab-exercise"));export{r as a};
