import{a as l}from"./chunk-AXBLM4L7.js";function r({label:n,class:e,children:o}){return l("section",{class:`scroll ${e??""}`,"aria-label":n,tabIndex:0,children:o})}export{r as a};
