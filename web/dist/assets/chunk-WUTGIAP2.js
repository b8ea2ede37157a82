var i=(a,e)=>e.result==="changed"&&(a.moved?.kind==="private-addresses"&&e.name==="mac"||a.moved?.kind==="elastic-ip"&&e.name==="ip");export{i as a};
