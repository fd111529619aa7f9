/** The style of a report's page. Colours have a contrast of 4.5 to 1 or more on both grounds. */
export const pageStyle = `
:root{color-scheme:light dark;--ground:#fff;--text:#1f2328;--quiet:#59636e;--line:#d1d9e0;--box:#f6f8fa;--add:#dafbe1;--addtext:#0a3d1a;--del:#ffebe9;--deltext:#6e1410;--heavy:#a40e26;--light:#0550ae;--warning:#7d4e00}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#f0f6fc;--quiet:#9198a1;--line:#3d444d;--box:#151b23;--add:#12261e;--addtext:#7ee2a8;--del:#25171c;--deltext:#ffb3ab;--heavy:#ff9492;--light:#79c0ff;--warning:#e3b341}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:64rem;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.15rem;border-bottom:1px solid var(--line);padding-bottom:.3rem;margin:2rem 0 .8rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
.verdicts li{margin:.4rem 0;overflow-wrap:anywhere}
h2 small,small{color:var(--quiet);font-weight:400}
header p{color:var(--quiet);margin:.2rem 0}
code,pre{font:13px/1.5 ui-monospace,monospace}
code{overflow-wrap:anywhere}
.note{border-left:4px solid var(--warning);padding:.4rem .8rem;background:var(--box)}
.unit{border:1px solid var(--line);border-radius:6px;margin:.6rem 0;padding:.5rem .8rem}
summary{cursor:pointer}
.action{font-weight:600;margin-left:.4rem}
.heavy,.error{color:var(--heavy)}.light{color:var(--light)}.none,.score,.info{color:var(--quiet)}.warning{color:var(--warning)}
.score{margin-left:.6rem;white-space:nowrap}
ul{margin:.4rem 0;padding-left:1.4rem}
pre{background:var(--box);border-radius:6px;padding:.6rem .8rem;overflow-x:auto;margin:.6rem 0 .2rem}
pre span{display:inline-block;min-width:100%}
.add{background:var(--add);color:var(--addtext)}.del{background:var(--del);color:var(--deltext)}.hunk{color:var(--quiet)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
figure{margin:1rem 0}figure svg{width:100%;height:auto}
@media print{body{max-width:none;padding:0;font-size:11pt}.unit,.verdicts li,tr{break-inside:avoid-page}h2,h3,summary{break-after:avoid-page}pre{white-space:pre-wrap;overflow-wrap:anywhere}}
`.trim();
