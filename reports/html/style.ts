/** The page's style sheet: one accent, both themes from one set of names, a narrow screen and paper. */
export const style = `
:root{color-scheme:light dark;
--bg:light-dark(#fbfbfc,#121417);--card:light-dark(#fff,#1a1d21);--sunk:light-dark(#f3f4f6,#15181b);
--ink:light-dark(#16191d,#e8eaed);--soft:light-dark(#565e69,#a5adb8);--line:light-dark(#e2e5e9,#2d3238);--edge:light-dark(#c3c9d1,#48505a);
--accent:light-dark(#2b53c9,#9db5ff);
--pass:light-dark(#17784a,#57c58d);--fail:light-dark(#c02b2b,#ff8f87);--inconclusive:light-dark(#8a5a00,#e6b657);--skipped:light-dark(#5d6571,#9aa3ae);
--ok:light-dark(#3d9970,#4fae80);--bad:light-dark(#cf3636,#f0706a);--warn:light-dark(#c96a10,#eda24f);--odd:light-dark(#7d47c2,#b892f2);--wrong:light-dark(#b0308a,#ef83cd);--calm:light-dark(#2b53c9,#8faaff);--plain:light-dark(#69717d,#939ca8);
--outage:light-dark(#fbe9e7,#3a2020);
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
:root:has(#_theme-light:checked){color-scheme:light}
:root:has(#_theme-dark:checked){color-scheme:dark}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
header,main{max-width:1120px;margin:0 auto;padding:0 24px}
header{display:flex;align-items:center;justify-content:space-between;gap:12px 24px;flex-wrap:wrap;padding-top:18px;padding-bottom:18px}
.controls{display:flex;align-items:center;gap:8px}
button,select,input[type=search]{font:inherit;font-size:13px;color:var(--ink);background:var(--card);border:1px solid var(--edge);border-radius:8px;min-height:32px;padding:0 12px}
button{cursor:pointer}button:hover{border-color:var(--accent);color:var(--accent)}
button[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--card)}
#_help{width:32px;padding:0;border-radius:50%}
:root:not(.scripted) .scripted-only{display:none}
[hidden]{display:none!important}
main{padding-bottom:64px}
main>section{margin:0 0 40px}
h1,h2,h3,h4,h5,h6,p,ul,ol,dl,dd,figure,fieldset{margin:0;padding:0;border:0}
ul,ol{list-style:none}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em}
h2{font-size:20px;line-height:1.3;letter-spacing:-.01em;margin-bottom:12px}
h3{font-size:15px;margin-bottom:8px}
h4{font-size:15px;font-weight:600;overflow-wrap:anywhere}
h5{font-size:13px;color:var(--soft);font-weight:600;margin:0 0 8px}
h6{font-size:13px;margin:12px 0 6px}
small{font-size:13px;color:var(--soft);font-weight:400}
code,pre,.log{font-family:var(--mono);font-size:12.5px}
a{color:var(--accent);text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:3px}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.sr,.defs{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px}
.skip:focus{left:12px;top:8px;background:var(--card);padding:8px 12px;z-index:9}
.brand{display:flex;align-items:center;gap:8px}
.brand span{color:var(--soft)}
.flame{width:20px;height:20px;fill:var(--accent)}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.row{display:flex;align-items:baseline;justify-content:space-between;flex-wrap:wrap;gap:8px 24px}

.icon{width:16px;height:16px;flex:none;fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round;vertical-align:-3px}
.icon>*{stroke:var(--card)}
.icon>:first-child{fill:currentColor;stroke:none}
.icon.s-pass,.s-pass>.icon{color:var(--pass)}.icon.s-fail{color:var(--fail)}.icon.s-inconclusive{color:var(--inconclusive)}.icon.s-skipped{color:var(--skipped)}
.icon>.open:first-child{fill:none;stroke:currentColor}.icon>.open~*{stroke:currentColor}

.switch{display:flex;align-items:center;gap:4px;font-size:13px;color:var(--soft);flex-wrap:wrap}
.switch legend{float:left;padding:0 6px 0 0}
.switch label{display:inline-flex;align-items:center;gap:6px;min-height:32px;padding:0 10px;border-radius:8px;cursor:pointer}
.switch label:has(:checked){color:var(--ink)}
.switch label:has(:focus-visible){outline:2px solid var(--accent)}
.switch input{accent-color:var(--accent);margin:0}
.controls .theme{background:var(--sunk);border-radius:10px;padding:2px;gap:0}
.theme input{position:absolute;opacity:0}
.theme label{position:relative;min-height:28px}
.theme label:has(:checked){background:var(--card);box-shadow:0 0 0 1px var(--line)}

.verdict{display:flex;gap:20px;padding:28px;border-radius:16px;background:linear-gradient(color-mix(in srgb,var(--tone) 9%,transparent),color-mix(in srgb,var(--tone) 3%,transparent)),var(--card);border:1px solid color-mix(in srgb,var(--tone) 35%,var(--line))}
.is-pass{--tone:var(--pass)}.is-fail{--tone:var(--fail)}.is-inconclusive{--tone:var(--inconclusive)}.is-skipped{--tone:var(--skipped)}
.verdict>.icon{width:40px;height:40px;stroke-width:1.4}
.verdict>div{min-width:0;flex:1}
.verdict h1{color:var(--tone)}
.lead{max-width:80ch;font-size:18px;line-height:1.5;margin:6px 0 16px;text-wrap:pretty;overflow-wrap:anywhere}
.tally{display:flex;flex-wrap:wrap;gap:4px 20px;color:var(--soft)}
.tally b{color:var(--ink)}.tally .icon{margin-right:6px}
.strip{display:flex;flex-wrap:wrap;gap:2px;margin:12px 0 0 -5px}
.strip a{display:block;padding:5px;border-radius:6px;line-height:1}
.strip a:hover{background:var(--sunk)}
.how-real{margin-top:14px;font-size:13px;color:var(--soft)}
.trouble{display:grid;gap:8px}
.trouble li{display:flex;gap:12px;padding:12px 16px;background:var(--card);border:1px solid var(--line);border-radius:12px}
.trouble .icon{margin-top:4px}.trouble a{color:inherit;font-weight:600}.trouble p{color:var(--soft)}
.trouble div{min-width:0;overflow-wrap:anywhere}
.intro{color:var(--soft);margin:-8px 0 12px}
.leftovers{margin-top:16px;padding:12px 16px;border-radius:8px;background:var(--outage)}
main>.verdict{margin-bottom:28px}

.fidelity p{color:var(--soft);max-width:75ch}.fidelity p b{color:var(--ink)}
.fidelity .columns{margin-top:14px}
.fidelity h3{font-size:13px;color:var(--soft);font-weight:600;margin-bottom:4px}
.fidelity li{display:flex;gap:8px;padding:2px 0;color:var(--soft)}
.fidelity li b{color:var(--ink);font-weight:600}
.glyph{width:14px;height:14px;flex:none;margin-right:6px;vertical-align:-2px}
.fidelity .glyph{margin:5px 0 0}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:20px 40px}

.tiles{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);border-radius:14px;overflow:hidden}
.tiles>div{flex:1 1 210px;background:var(--card);padding:18px 20px;display:flex;flex-direction:column}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd b{display:block;font-size:26px;line-height:1.25;letter-spacing:-.02em;font-weight:600}
.tiles small{display:block;line-height:1.4;margin-top:4px}

table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:600}
.plain th,.plain td{padding:5px 16px 5px 0;vertical-align:top;border-bottom:1px solid var(--line);font-size:13px}
.plain thead th{color:var(--soft);font-weight:500;white-space:nowrap}
.plain .n{text-align:right}
.plain caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:4px}
.matrix{background:var(--card);border:1px solid var(--line);border-radius:14px;border-spacing:0;border-collapse:separate;overflow:hidden}
.matrix th,.matrix td{padding:8px 20px;vertical-align:top;border-top:1px solid var(--line)}
.matrix thead th{border:0;font-size:13px;color:var(--soft);font-weight:500;background:var(--sunk);padding-top:7px;padding-bottom:7px}
.matrix tbody th{white-space:nowrap}.matrix tbody th .icon{margin-right:6px}
.matrix .of{text-align:left;width:92px;padding-left:8px;padding-right:8px}.matrix .of:nth-child(5){width:25%}.matrix th.of{padding-left:10px}
.matrix small{display:block;line-height:1.45;margin-top:2px}.matrix small b{font-weight:600}
.matrix .phone{display:none}
.chip{display:inline-block;min-width:30px;margin:0 1px 4px 0;padding:0 6px;text-align:center;font-size:12.5px;line-height:22px;border-radius:6px;text-decoration:none;color:var(--tone);background:color-mix(in srgb,var(--tone) 10%,var(--card));border:1px solid color-mix(in srgb,var(--tone) 40%,transparent)}
.chip:hover{background:var(--tone);color:var(--card)}
.s-pass{--tone:var(--pass)}.s-fail{--tone:var(--fail)}.s-inconclusive{--tone:var(--inconclusive)}.s-skipped{--tone:var(--skipped)}
.chip.s-fail{font-weight:700;border-width:2px}.chip.s-inconclusive{border-style:dashed}.chip.s-skipped{background:none;border-style:dotted}
.claim{font-size:12px;font-weight:600;padding:1px 6px;border-radius:5px;background:var(--sunk);color:var(--soft);border:1px solid var(--line);white-space:nowrap}
.unexamined{columns:2 340px;column-gap:40px;padding-top:8px;color:var(--soft);font-size:14px}
.unexamined li{padding:2px 0;break-inside:avoid}

.toolbar{position:sticky;top:0;z-index:3;display:flex;flex-wrap:wrap;align-items:center;gap:8px 12px;margin:0 -24px 16px;padding:10px 24px;background:color-mix(in srgb,var(--bg) 94%,transparent);border-bottom:1px solid var(--line)}
.toolbar .search{flex:1 1 220px;max-width:340px}.search input{width:100%}
.shown{margin-left:auto;font-size:13px;color:var(--soft)}
.feature{margin-bottom:24px}
.feature>h3{color:var(--soft);font-weight:600}
.scenario{background:var(--card);border:1px solid var(--line);border-radius:14px;margin-bottom:8px}
.scenario:not(:has(>[open])){content-visibility:auto;contain-intrinsic-size:auto 76px}
.scenario:has(:target){border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
.scenario>details>summary{display:grid;grid-template-columns:20px minmax(0,1fr) minmax(0,150px) 84px 16px;gap:2px 14px;align-items:center;padding:14px 20px;cursor:pointer;border-radius:14px;list-style:none}
summary::-webkit-details-marker{display:none}
.scenario>details>summary:hover h4{color:var(--accent)}
.scenario>details>summary>.icon{width:20px;height:20px;margin-top:2px;align-self:start}
.scenario>details>summary::after,.inner>summary::before{content:"";width:8px;height:8px;border:solid var(--soft);border-width:0 2px 2px 0;transform:rotate(-45deg);flex:none}
.scenario>details>summary::after{grid-area:1/5/span 2;margin:0 4px 0 auto}
.scenario>details[open]>summary{border-bottom:1px solid var(--line);border-radius:14px 14px 0 0}
.glance{grid-area:1/3/span 2;width:100%;height:16px;border-radius:3px}.glance rect{fill:currentColor}
.outage-time{grid-area:1/4/span 2;text-align:right;font-weight:600;line-height:1.2}.outage-time small{display:block;font-size:12px}
.number{min-width:1.4em}
.scenario>details[open]>summary::after{transform:rotate(45deg)}
.under{grid-column:2;display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px;font-size:13px;color:var(--soft)}
.under .claim+.claim{margin-left:-8px}
.grown{color:var(--fail);font-weight:600}
.body{padding:14px 20px 22px 52px;scroll-margin-top:128px}
.scenario summary{scroll-margin-top:80px}
.body>section{margin-top:28px}
.body>.columns{margin-top:26px}
.where{font-size:13px;color:var(--soft);overflow-wrap:anywhere}
.where a{margin-left:10px}
.reason{display:flex;gap:10px;margin-top:14px;padding:11px 14px;border-radius:10px;background:var(--sunk);border:1px solid var(--line)}
.reason .icon{margin-top:4px}
.reason.s-fail{background:var(--outage);border-color:transparent}
.steps li,.checks li{display:flex;gap:10px;padding:4px 0;font-size:14px}
.steps .icon,.checks .icon{margin-top:3px}
.text{flex:1;min-width:0;overflow-wrap:anywhere}
.steps .is-skipped .text{color:var(--soft)}
.steps .n{color:var(--soft);font-size:13px}
.checks .text{color:var(--soft)}.checks b{color:var(--ink);font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:6px 0 0;padding:10px 12px;background:var(--sunk);border-radius:8px;border:1px solid var(--line)}

.waterfall+.waterfall,.columns+.waterfall{margin-top:22px}
.waterfall figcaption{display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline;font-size:14px;margin-bottom:4px}
.waterfall figcaption span{color:var(--soft)}.waterfall .total{margin-left:auto}.waterfall .total b{color:var(--ink)}
.waterfall .total em{color:var(--fail);font-style:normal;font-weight:600}
.waterfall th,.waterfall td{padding:4px 0;border-bottom:1px solid var(--line);font-size:13.5px;font-weight:400}
.waterfall thead th{color:var(--soft);font-size:12px;padding-top:0}
.waterfall th[scope=row]{white-space:nowrap;padding-right:20px;width:1%}
.waterfall .n{padding-left:18px;width:1%;min-width:78px}
.waterfall .goal th,.waterfall .goal td{font-weight:600}
.bar{position:relative;height:26px}
.bar i{position:absolute;top:8px;height:11px;min-width:3px;border-radius:2px;background:var(--tone)}
.o-daemon{--tone:var(--warn);background:repeating-linear-gradient(135deg,var(--warn) 0 3px,color-mix(in srgb,var(--warn) 55%,transparent) 3px 6px)!important}
.o-agent{--tone:var(--calm)}
.o-pod{--tone:var(--plain)}
.never{color:var(--fail)}
.facts{display:flex;flex-wrap:wrap;gap:2px 20px;margin-top:8px;font-size:13px;color:var(--soft)}
.facts b{color:var(--ink);font-weight:600}

figure>figcaption{font-size:13px;color:var(--soft);margin-bottom:6px}
figure+figure{margin-top:24px}
.swatch{display:inline-block;width:14px;height:11px;border-radius:2px;vertical-align:-1px}
.swatch.outage{background:var(--outage);box-shadow:inset 0 0 0 1px var(--bad)}
.swatch.fault{background:repeating-linear-gradient(135deg,var(--plain) 0 1px,transparent 1px 4px);box-shadow:inset 0 0 0 1px var(--plain)}
.chart figcaption{color:var(--ink)}
.chart .plot{margin:10px 4px 0 52px;padding-bottom:26px}
.chart .plot>svg{display:block;width:100%;height:190px;overflow:visible}
.chart path{fill:none;stroke:var(--c);stroke-width:2}.chart circle{fill:var(--c);stroke:var(--card);stroke-width:1.5}
.chart text{font-size:11px;fill:var(--soft)}.chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
.t1{--c:var(--calm)}.t2{--c:var(--warn);stroke-dasharray:6 3}.t3{--c:var(--ok);stroke-dasharray:2 3}.t4{--c:var(--odd);stroke-dasharray:9 3 2 3}.t5{--c:var(--wrong);stroke-dasharray:1 4}circle{stroke-dasharray:none!important}
.key{display:inline-block;width:20px;height:0;border-top:2px solid var(--c);vertical-align:4px;margin-right:6px}.key.t2{border-top-style:dashed}.key.t3,.key.t5{border-top-style:dotted;border-top-width:3px}.key.t4{border-top-style:double;border-top-width:4px}
.key.dot{width:8px;height:8px;border:0;border-radius:50%;background:var(--c);vertical-align:0}
.body .chart{max-width:620px;margin-top:22px}
.grid{stroke:var(--line);stroke-width:1}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:28px 36px}.charts .chart{margin:0}.charts>*{min-width:0}
.charts .plot>svg{height:150px}.legend+.charts{margin-top:18px}
.figures th[scope=row]{font-weight:400;white-space:nowrap}.figures .goal th,.figures .goal td{font-weight:600}.figures small{font-size:12px}
.tone-worse{color:var(--fail);font-weight:600}.tone-better{color:var(--pass);font-weight:600}
.printed{white-space:pre;overflow-x:auto;overflow-wrap:normal}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px;color:var(--soft)}.legend b{font-weight:600;color:var(--ink)}
.legend .swatch{margin-right:6px}.beside{margin-bottom:24px}
.stages .goal td{font-weight:600}
.stages td{white-space:nowrap}.columns>*{min-width:0}
.picture{min-height:40px}
.scripted .picture{min-height:180px}
.zoom{display:flex;flex-wrap:wrap;align-items:center;gap:6px;margin-bottom:8px}.zoom button{min-height:28px;padding:0 10px}
.shows{margin-left:auto;font-size:13px;color:var(--soft)}
.canvas-box{border:1px solid var(--line);border-radius:10px;padding:8px 12px 4px;background:var(--card)}
.stage{position:relative}.stage canvas{display:block;width:100%;touch-action:pan-y;cursor:crosshair}
.tip{position:absolute;z-index:2;max-width:min(360px,90%);padding:7px 10px;font-size:12.5px;line-height:1.45;background:var(--ink);color:var(--card);border-radius:8px;pointer-events:none;overflow-wrap:anywhere}
.hair{position:absolute;top:20px;bottom:22px;width:1px;background:var(--soft);pointer-events:none}
.brush{position:absolute;top:20px;bottom:22px;background:color-mix(in srgb,var(--accent) 22%,transparent);border:solid var(--accent);border-width:0 1px;pointer-events:none}
.timeline>.legend{margin-top:8px}
.k-ok{color:var(--ok)}.k-bad{color:var(--bad)}.k-warn{color:var(--warn)}.k-odd{color:var(--odd)}.k-wrong{color:var(--wrong)}.k-calm{color:var(--calm)}.k-plain{color:var(--plain)}
use{fill:currentColor}
.hollow{fill:var(--card);stroke:currentColor;stroke-width:1.8}
.stroke{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round}

.inner{margin-top:16px;border-top:1px solid var(--line);padding-top:12px}
.inner+.inner{margin-top:12px}
.inner>summary{display:flex;gap:10px;align-items:baseline;cursor:pointer;font-size:14px;font-weight:600;border-radius:4px}
.inner>summary:hover{color:var(--accent)}
.inner[open]>summary::before{transform:rotate(45deg)}
.scroll{overflow-x:auto;margin-top:8px}
.events td:nth-child(3){white-space:nowrap}
.events td:nth-child(4){overflow-wrap:anywhere;min-width:300px}
.events td:last-child{min-width:200px;color:var(--soft)}
.contradicted td{background:var(--outage)}.contradicted td:last-child{color:var(--fail)}
.scroll .events{max-height:none}.filled>.scroll{max-height:560px;overflow:auto}
.events thead th{position:sticky;top:0;background:var(--card)}
.log{margin-top:8px;background:var(--sunk);border:1px solid var(--line);border-radius:8px;padding:8px 0;max-height:420px;overflow:auto}
.log li{display:flex;gap:14px;padding:0 12px;border-left:3px solid transparent;line-height:1.65}
.log time{color:var(--soft);flex:none;text-align:right;min-width:6ch}
.log code{white-space:pre-wrap;overflow-wrap:anywhere}
.log .err{border-color:var(--bad)}.log .err code{color:var(--fail)}
.log .others{color:var(--soft);font-size:12.5px}
.log .added{border-color:var(--pass)}.log .removed{border-color:var(--fail)}
.log .added code{color:var(--pass)}.log .removed code{color:var(--fail)}
.note{font-size:13px;color:var(--soft);margin-top:6px}
.environment dl{display:grid;gap:4px}
.environment dl>div{display:grid;grid-template-columns:180px 1fr;gap:16px;font-size:14px}
.environment dt{color:var(--soft)}.environment dd{overflow-wrap:anywhere}
${['fail', 'inconclusive', 'pass', 'skipped'].map((status) => `:root:has(#_show-${status}:not(:checked)) .scenario.is-${status}`).join(',')}{display:none}

dialog{border:1px solid var(--edge);border-radius:16px;padding:24px 28px;background:var(--card);color:var(--ink);max-width:min(520px,92vw)}
dialog::backdrop{background:rgb(0 0 0/.45)}
dialog dl{display:grid;gap:8px}dialog dl>div{display:grid;grid-template-columns:120px 1fr;gap:12px}
dialog form{margin-top:16px}
kbd{font:12px var(--mono);padding:2px 6px;border:1px solid var(--edge);border-bottom-width:2px;border-radius:5px;background:var(--sunk)}
@media(max-width:640px){
header,main{padding-left:16px;padding-right:16px}
main>section{margin-bottom:32px}
h1{font-size:24px}.lead{font-size:16px}
.verdict{padding:18px;gap:12px;border-left-width:4px}
.verdict>.icon{width:26px;height:26px;margin-top:2px}
.tiles>div{flex-basis:40%;padding:13px 14px}.tiles dd b{font-size:20px}
.matrix thead{position:absolute;clip-path:inset(50%)}
.matrix,.matrix tbody{display:block}.matrix tr{display:grid;grid-template-columns:70px 1fr;border-top:1px solid var(--line);padding:10px 14px}
.matrix tr:first-child{border:0}
.matrix th,.matrix td{border:0;padding:2px 0;width:auto}
.matrix td.of{grid-column:2;width:auto;padding:4px 0 0}.matrix td.none{display:none}.matrix .phone{display:inline;font-size:13px;color:var(--soft);margin-right:6px}
.toolbar{margin:0 -16px 12px;padding:8px 16px;position:static}.toolbar .search{max-width:none}
.scenario>details>summary{grid-template-columns:20px minmax(0,1fr) auto 14px!important;gap:2px 10px!important}
.glance{grid-area:3/2/auto/span 2!important;margin-top:6px}.outage-time{grid-area:1/3/span 2!important}.scenario>details>summary::after{grid-area:1/4/span 2!important}
.canvas-box{padding:6px 8px 2px;margin:0 -6px}.shows{display:none}.zoom{flex-wrap:nowrap;overflow-x:auto;padding:2px}.zoom button{flex:none}
.events td:nth-child(4){min-width:220px}
.scenario>details>summary{padding:12px 14px}.body{padding:12px 14px 16px}
.waterfall table,.waterfall thead,.waterfall tbody{display:block}
.waterfall tr{display:grid;grid-template-columns:minmax(0,1fr) 70px 78px;border-bottom:1px solid var(--line);padding:3px 0}
.waterfall th,.waterfall td{border:0;padding:1px 0}.waterfall .n{padding:1px 0;min-width:0;width:auto}
.waterfall th[scope=row]{width:auto;padding:1px 0;white-space:normal}
.waterfall .bar{grid-row:2;grid-column:1/-1;height:11px}.bar i{top:2px;height:7px}
.waterfall .bar-head{display:none}
.body{scroll-margin-top:110px}
.environment dl>div{grid-template-columns:1fr;gap:0;margin-bottom:6px}
.switch label{padding:0 8px}
}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{
:root{color-scheme:light!important}
@page{margin:14mm}
body{zoom:.78;background:#fff}
header,main{max-width:none;padding:0}
.controls,.toolbar,.zoom,.skip,.strip,.where a,.inner:not([open]),.picture:not(:has(canvas)){display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.scenario>details::details-content{content-visibility:visible;block-size:auto;display:block}
.scenario>details>summary::after{display:none}
.scenario,.verdict,.tiles{border-radius:6px}
.scenario{content-visibility:visible!important}
.body{padding-left:20px}
figure,.waterfall,.verdict,.tiles,.timeline,tr,li{break-inside:avoid}
.toolbar{position:static}
h2,h3,h4,h5,summary,figcaption{break-after:avoid}
.log{max-height:none}
.columns{display:block}.columns>*+*{margin-top:16px}.scroll{overflow:visible}
a{color:inherit;text-decoration:none}
}
`.trim();
