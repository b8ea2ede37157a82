import{l as e}from"./chunk-T3QKRPKC.js";var r=e(!!localStorage.getItem("enilab-exercise"));export{r as a};
