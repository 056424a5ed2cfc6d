"""The pages of HTML: what they have in common, and the one that strangers see.

No script, no image, nothing loaded: the style stands in the page, and the policy names its hash.
All text goes through `escape`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Final

from catchasync._facts import Facts

STYLE: Final = """
:root{color-scheme:light dark;--back:#fff;--card:#f6f7f9;--ink:#1c2026;--dim:#5c6470;--line:#d9dde3;
--bad:#b3261e;--hit:#fdeceb;--mark:#f7c1bc;--link:#0b57d0}
@media(prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2127;--ink:#e6e8eb;--dim:#9aa3ae;
--line:#343a43;--bad:#ff8a80;--hit:#3a2020;--mark:#7a2e2a;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1,h2,h3,p,dd,summary{overflow-wrap:anywhere}
h1{margin:.2em 0;font-size:1.6rem;line-height:1.25}h2{margin:2rem 0 .5rem;font-size:1.15rem}
h3{margin:.5rem 0}
a{color:var(--link)}.dim{color:var(--dim)}.bad{color:var(--bad)}
.message{white-space:pre-wrap;font-size:1.1rem;margin:.5rem 0}
pre,code,summary,dt,dd{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.875rem}
pre{margin:0;padding:.6rem 0;overflow-x:auto;tab-size:4}
.box,details{border:1px solid var(--line);border-radius:6px;background:var(--card);margin:.5rem 0}
.box{padding:.6rem .8rem}summary{cursor:pointer;padding:.5rem .8rem}
details>pre{border-top:1px solid var(--line)}details>pre.text{padding:.6rem .8rem}
details.library>summary{color:var(--dim)}
.line{display:block;padding:0 .8rem 0 4.2rem;min-width:max-content;min-height:1.5em}
.line::before{content:attr(data-n);display:inline-block;width:3rem;margin:0 .6rem 0 -3.6rem;
text-align:right;color:var(--dim)}
.failed{background:var(--hit)}mark{background:var(--mark);color:inherit;border-radius:2px}
.inside{border-left:3px solid var(--line);padding-left:.8rem}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.2rem 1rem;
margin:0;padding:.6rem .8rem;border-top:1px solid var(--line)}dt{color:var(--dim)}dd{margin:0}
@media(max-width:40rem){main{padding:1rem .6rem 3rem}dl{grid-template-columns:1fr;gap:0}
dd{margin:0 0 .4rem}.line{padding-left:3.2rem}.line::before{width:2.2rem;margin-left:-2.8rem}
.inside{padding-left:.4rem}}
"""

_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def escape(text: str) -> str:
    """Return a text as HTML, in an element or an attribute."""
    return html.escape(text)


def page(title: str, body: str) -> str:
    """Return a page; its body is HTML already."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def error_page(facts: Facts) -> str:
    """Return the page that strangers see."""
    return page(f"{facts.status} {facts.title}", said(facts))


def said(facts: Facts, tag: str = "h1") -> str:
    """Return what strangers may know, as HTML."""
    parts = [f'<{tag}><span class="bad">{facts.status}</span> {escape(facts.title)}</{tag}>']
    if facts.detail != facts.title:
        parts.append(f'<p class="message">{escape(facts.detail)}</p>')
    if facts.code is not None:
        parts.append(f'<p class="dim">code: <code>{escape(str(facts.code))}</code></p>')
    if facts.details is not None:
        details = json.dumps(facts.details, ensure_ascii=False, indent=2)
        parts.append(f'<pre class="box">{escape(details)}</pre>')
    return "\n".join(parts)
