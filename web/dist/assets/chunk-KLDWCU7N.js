var l=null,t=!1;function u(n){l=n,l&&t&&e()}function e(){t=l===null,l?.focus(),l?.select()}export{u as a,e as b};
