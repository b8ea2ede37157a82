import{m as i}from"./chunk-EEEXK5IQ.js";var o=i(!1);export{o as a};
