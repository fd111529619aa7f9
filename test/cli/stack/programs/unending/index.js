console.log("still at it");
setInterval(() => undefined, 1000);
