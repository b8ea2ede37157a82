var n=(r,t)=>r.replace(/\{(\w+)\}/g,(g,i)=>t[i]??g);export{n as a};
