namespace Talos.Checks;

/// <summary>The look of the HTML report: quiet, dense, in black and white on paper with the verdicts as words.</summary>
static class HtmlStyle
{
    public const string Text = """
        :root{--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--paper:#fff;--pass:#1a7f4b;--fail:#b3261e;--unknown:#9a6700;--waived:#5b4bb0;--na:#6b7480;--manual:#0b6b8a}
        *{box-sizing:border-box}
        body{margin:0;background:#f3f5f8;color:var(--ink);font:15px/1.45 system-ui,"DejaVu Sans",sans-serif}
        main{max-width:1100px;margin:0 auto;padding:32px 40px;background:var(--paper)}
        h1{font-size:26px;margin:0 0 12px;overflow-wrap:anywhere}h2{font-size:19px;margin:36px 0 10px;padding-top:10px;border-top:2px solid var(--ink)}h3{font-size:15px;margin:18px 0 6px}
        small,.source,footer{color:var(--soft);font-size:12.5px;font-weight:400}.source::before{content:"— "}
        header{position:relative}.verdict{float:right;margin:0;padding:6px 16px;border-radius:4px;color:#fff;font-weight:600;font-size:17px}
        .verdict.pass{background:var(--pass)}.verdict.fail{background:var(--fail)}.verdict.unknown{background:var(--unknown)}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:6px 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
        .sums{display:flex;flex-wrap:wrap;gap:10px;list-style:none;padding:0;margin:22px 0}.sums li{flex:1;min-width:120px;padding:10px 14px;border:1px solid var(--line);border-top:4px solid var(--na);border-radius:4px}
        .sums b{display:block;font-size:26px;line-height:1.1}.sums .pass{border-top-color:var(--pass)}.sums .fail{border-top-color:var(--fail)}.sums .unknown{border-top-color:var(--unknown)}.sums .waived{border-top-color:var(--waived)}.sums .manual{border-top-color:var(--manual)}
        table{width:100%;border-collapse:collapse;margin:8px 0}th{text-align:left;font-size:12.5px;color:var(--soft);border-bottom:1px solid var(--ink);padding:4px 8px}
        td{vertical-align:top;border-bottom:1px solid var(--line);padding:5px 8px;overflow-wrap:anywhere}td.n{text-align:right;font-variant-numeric:tabular-nums;width:70px;overflow-wrap:normal}.date{white-space:nowrap}
        .sections th:not(:first-child):not(.bar),.history th:nth-child(n+3){text-align:right}.bar{width:170px}.bar i{display:block;height:9px;margin-top:6px;background:var(--pass);border-radius:2px;min-width:1px}
        td.fail{color:var(--fail);font-weight:600}td.unknown{color:var(--unknown);font-weight:600}td.waived{color:var(--waived)}
        .checks td:nth-child(1){width:92px}.checks td:nth-child(2){width:36%}
        .waivers td:nth-child(1){width:25%}.waivers td:nth-child(2){width:23%}
        .tag{display:inline-block;min-width:70px;text-align:center;font-size:11.5px;font-weight:600;letter-spacing:.03em;color:#fff;background:var(--na);border-radius:3px;padding:1px 6px}
        .pass .tag{background:var(--pass)}.fail .tag{background:var(--fail)}.unknown .tag{background:var(--unknown)}.waived .tag{background:var(--waived)}.manual .tag{background:var(--manual)}
        article{border:1px solid var(--line);border-left:4px solid var(--fail);border-radius:4px;padding:8px 16px;margin:10px 0}article.unknown{border-left-color:var(--unknown)}article h3{margin:4px 0}article p{margin:4px 0}
        code{font:12.5px/1.4 "DejaVu Sans Mono",ui-monospace,monospace;background:#f0f2f5;padding:0 4px;border-radius:3px}.problem{color:var(--fail);font-weight:600}a{color:inherit}footer{margin-top:36px;border-top:1px solid var(--line);padding-top:10px}
        @media (max-width:700px){main{padding:16px}.verdict{float:none;display:inline-block}.bar{display:none}}
        .legend{color:var(--soft);font-size:13px;margin:0 0 8px}.legend b{color:var(--ink);font-weight:600}
        @media print{body,main{background:#fff;padding:0;font-size:9.5px}main{max-width:none}h1{font-size:18px}h2{font-size:13px;margin-top:16px;padding-top:5px}h3{font-size:10.5px;margin:8px 0 3px}
        small,.source,code,footer,th,.legend{font-size:8px}td,th{padding:2px 6px}.tag{min-width:48px;font-size:8px;padding:0 3px}.tag,.verdict{color:#000!important;background:none!important;border:1px solid #000}.verdict{font-size:12px;padding:3px 10px}
        article{padding:3px 10px;margin:5px 0}article h3{margin:2px 0}dl{margin:3px 0;gap:1px 12px}article,tr{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}
        .sums{flex-wrap:nowrap;gap:6px;margin:12px 0}.sums li{min-width:0;padding:4px 8px}.sums b{font-size:16px}td.n{width:auto}.bar{width:90px}.bar i{height:6px;margin-top:4px;print-color-adjust:exact}.checks td:nth-child(1){width:66px}
        @page{size:A4;margin:14mm 14mm 16mm;@bottom-left{content:"Compliance report";font-size:8px}@bottom-right{content:counter(page) " / " counter(pages);font-size:8px}}}
        """;
}
