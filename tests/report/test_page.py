# SPDX-License-Identifier: GPL-2.0-or-later
"""What a report is in a browser: what it says, that it asks for nothing, that it can be read."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from common import Case  # noqa: E402
import browser  # noqa: E402
import document as d  # noqa: E402

WIDTHS = (1200, 400)

# Texts, each with the color behind it: those with a contrast below WCAG's 4.5, or 3 where they are large.
CONTRAST = '''(() => {
  const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bad = [];
  let n = 0;
  for (const e of document.body.querySelectorAll('*')) {
    const own = [...e.childNodes].some(k => k.nodeType === 3 && k.data.trim());
    if (!(own || e.classList.contains('m')) || e.closest('.vh')) continue;
    const s = getComputedStyle(e), a = light(rgb(s.color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    n++;
    if (ratio < (own ? 4.5 : 3)) bad.push([e.tagName, e.className.baseVal ?? e.className, ratio]);
  }
  return {n, bad};
})()'''

# What sticks out of the page. What scrolls in a frame of its own does not.
STICKS_OUT = '''(() => [document.documentElement.scrollWidth - document.documentElement.clientWidth,
  [...document.body.querySelectorAll('*')].filter(e => !e.closest('.scroll') && !e.closest('.vh') &&
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(e => e.tagName + '.' + (e.className.baseVal ?? e.className))])()'''

MATRIX = '''[...document.querySelectorAll('.matrix tbody tr')].map(r => [r.querySelector('th').innerText.trim(),
  [...r.querySelectorAll('td.e')].map(c => c.textContent)])'''


class Page(Case):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, o, width=1200):
        path, html = self.page(o if isinstance(o, str) else d.text_of(o))
        self.browser.open(path, width)
        self.assertEqual(self.browser.asked_for(), ['file://' + path])
        self.assertEqual(self.browser.said(), [])
        return html

    def js(self, expression):
        return self.browser.js(expression)

    def test_all_of_a_campaign_is_there(self):
        self.open(d.campaign())
        columns = ['config', 'data', 'policy', 'log', 'security']
        self.assertEqual(self.js('[...document.querySelectorAll(".matrix thead th.e")].map(e => e.textContent)'),
                         columns)
        both, floor = 'declared and observed', 'by the specification alone'
        self.assertEqual(self.js(MATRIX), [
            ['get-log 0401h', ['', '', '', '', '']],
            ['get-log-capabilities 0402h', ['', '', '', 'observed, and no breach', '']],
            ['set-event-interrupt-policy 0103h', ['declared', '', floor + ', and observed', '', '']],
            ['set-lsa 4103h', ['declared', both, '', '', 'observed and undeclared']],
            ['sanitize 4400h', ['', floor, '', '', '']],
            ['vendor-specific C000h not listed', ['', '', '', '', '']]])
        self.assertIn('Breach', self.js('document.querySelector("#verdict").innerText'))
        self.assertEqual(self.js('document.querySelectorAll("article").length'), 2)
        self.assertEqual(self.js('[...document.querySelectorAll("#finding-1 ol.steps code")].map(e => e.innerText)'),
                         ['set-lsa (4103h) offset=16376 data=53414e4954495a45',
                          'wait until no background work runs',
                          'get-log (0401h) uuid=vendor-debug offset=0 length=256, 3 times', 'cold reset',
                          'vendor-specific (c000h) payload=' + 'ff' * 16 + '.. (40 bytes)'])
        self.assertEqual(self.js('[...document.querySelectorAll("#finding-1 .answer")].map(e => e.textContent)'),
                         ['answer success', 'answer success, 256 bytes', 'answer invalid-input'])
        self.assertEqual(self.js('[...document.querySelectorAll("mark")].map(e => e.innerText)'),
                         ['00 00 00', 'de ad be'])
        self.assertEqual(self.js('document.querySelectorAll("#coverage tbody")[0].rows.length'), 3)
        text = self.js('document.body.innerText')
        for part in ('component: the device does not declare the command', '1874 steps',
                     'fwadmit verify sim:liar-magic-lba --replay=fwadmit-', '3 of 3 runs; in 0 of 3 controls'):
            self.assertIn(part, text)

    def test_evidence_alone(self):
        self.open(d.evidence(d.finding()))
        self.assertIn('Breach', self.js('document.querySelector("#verdict").innerText'))
        self.assertEqual(self.js('document.querySelectorAll("article").length'), 1)
        self.assertEqual(self.js('document.querySelectorAll("#matrix, #coverage").length'), 0)

    def test_honest(self):
        self.open(d.campaign(findings=[]))
        verdict = self.js('document.querySelector("#verdict").innerText')
        self.assertIn('Honest so far', verdict)
        self.assertIn('No proof', verdict)

    def test_tables_can_be_read_aloud(self):
        self.open(d.campaign())
        self.assertEqual(self.js('[...document.querySelectorAll("th")].filter(e => !e.scope).length'), 0)
        self.assertEqual(self.js('document.querySelectorAll(".matrix caption").length'), 1)
        self.assertEqual(self.js('[...document.querySelectorAll("td.e svg")].filter(e => '
                                 '!e.parentElement.textContent || !e.getAttribute("aria-hidden")).length'), 0)
        self.assertEqual(self.js('[...document.querySelectorAll(".scroll")].filter(e => '
                                 '!e.ariaLabel || e.tabIndex !== 0).length'), 0)
        self.assertEqual(self.js('document.documentElement.lang'), 'en')
        self.assertEqual(self.js('document.querySelectorAll("h1").length'), 1)

    def test_nothing_sticks_out(self):
        long = d.finding(text='x' * 250, steps=[d.command(0x4103, 'set-lsa', 'ab' * 2000)])
        for o in (d.campaign(), d.campaign(findings=[d.with_evidence(long)]),
                  d.campaign(device=d.DEVICE | {'model': 'M' * 200, 'spec': 's' * 200})):
            for width in WIDTHS:
                self.open(o, width)
                self.assertEqual(self.js(STICKS_OUT), [0, []], width)

    def test_contrast(self):
        self.addCleanup(self.browser.media)
        for kind, scheme in (('screen', 'light'), ('screen', 'dark'), ('print', 'light'), ('print', 'dark')):
            self.browser.media(kind, scheme)
            for o in (d.campaign(), d.campaign(findings=[])):
                self.open(o)
                got = self.js(CONTRAST)
                self.assertGreater(got['n'], 60)
                self.assertEqual(got['bad'], [], (kind, scheme))

    def test_dark_is_dark_and_paper_is_white(self):
        self.addCleanup(self.browser.media)
        colors = {}
        for kind, scheme in (('screen', 'light'), ('screen', 'dark'), ('print', 'dark')):
            self.browser.media(kind, scheme)
            self.open(d.campaign())
            colors[kind, scheme] = self.js('getComputedStyle(document.body).backgroundColor')
        self.assertEqual(colors['screen', 'light'], colors['print', 'dark'])
        self.assertNotEqual(colors['screen', 'light'], colors['screen', 'dark'])

    def test_it_prints(self):
        self.open(d.campaign())
        self.assertTrue(self.browser.pdf().startswith(b'%PDF'))

    HOSTILE = ['<script>document.title="pwned"</script>', '"><img src=x onerror=document.title="pwned">',
               "'onmouseover='document.title=1", '</style><style>*{display:none}', '</title><h1>', '&lt;b&gt;',
               '--><!--', '\x00\x07\x1b[31mred\x7f', '\u202egnp.exe\u2066', '\u0085\u2028', 'javascript:alert(1)',
               'http://127.0.0.1:9/x', '; rm -rf "$HOME" \'`id`$(id)\'']

    def replaced(self, o, text):
        """@o with every text in it, but for words that say what it is, followed by @text."""
        if isinstance(o, dict):
            kept = ('kind', 'do', 'set', 'opcode_hex', 'evidence', 'payload', 'before', 'after', 'base64')
            return {k: v if k in kept and isinstance(v, str) else self.replaced(v, text) for k, v in o.items()}
        if isinstance(o, list):
            return [self.replaced(v, text) for v in o]
        return o + text if isinstance(o, str) else o

    def test_hostile_texts_are_inert(self):
        plain = d.campaign(findings=[d.finding(), d.note()])
        self.open(plain)
        elements = '[...document.querySelectorAll("*")].map(e => e.tagName + e.getAttributeNames()).join()'
        count = self.js(elements)
        for text in self.HOSTILE:
            hostile = self.replaced(plain, text)
            hostile['coverage'] = {k + text: v for k, v in hostile['coverage'].items()}
            # what is unknown has a column of its own
            for r in hostile['commands']:
                for key in ('declared', 'floor', 'observed', 'undeclared'):
                    r[key] = [v.replace(text, '') for v in r[key]]
            hostile['verdict'] = plain['verdict']
            for f, was in zip(hostile['findings'], plain['findings']):
                f['severity'] = was['severity']
            html = self.open(hostile)
            self.assertEqual(self.js(elements), count, text)
            shown = self.js('document.querySelector("article h3").textContent')
            self.assertTrue(shown.endswith(d.escape_of(text.split('\x00')[0])), (text, shown))
            self.assertTrue(html.isascii())
            self.assertNotIn('pwned', self.js('document.title').replace(d.escape_of(text), ''))

    def test_hostile_device_is_one_word_of_a_shell(self):
        spec = 'sim:x\'; touch pwned; "$(touch pwned)`touch pwned`'
        self.open(d.campaign(device=d.DEVICE | {'spec': spec}))
        import subprocess
        for line in self.js('[...document.querySelectorAll("pre")].map(e => e.innerText).join("\\n")').splitlines():
            if not line.strip():
                continue
            done = subprocess.run(['sh', '-c', 'fwadmit() { printf "%s\\n" "$2"; }; ' + line], cwd=self.dir,
                                  stdout=subprocess.PIPE, check=True)
            self.assertEqual(done.stdout.decode(), spec + '\n')
        self.assertNotIn('pwned', os.listdir(self.dir))

    def test_a_policy_that_lets_nothing_in(self):
        self.open(d.campaign())
        policy = self.js('document.querySelector("meta[http-equiv]").content')
        self.assertRegex(policy, r"^default-src 'none'; style-src 'sha256-[^']{44}'; base-uri 'none'; "
                                 r"form-action 'none'$")
        # and it holds: what gets in after all is not run
        self.js('(() => { const s = document.createElement("script"); s.textContent = "document.title = 1";'
                ' document.body.append(s); const i = new Image(); i.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";'
                ' document.body.append(i); })()')
        self.assertNotEqual(self.js('document.title'), '1')
        self.assertTrue(self.browser.said())


if __name__ == '__main__':
    if not browser.find():
        print('no Chromium')
        sys.exit(77)
    if os.environ.get('REPORT_PICTURES'):
        # for people who work on how it looks: pictures of a document, wide and narrow, light and dark
        case = Page()
        Page.setUpClass()
        case.setUp()
        with open(os.environ['REPORT_PICTURES'], encoding='utf-8') as f:
            o = json.load(f)
        for width in WIDTHS:
            for scheme in ('light', 'dark'):
                Page.browser.media('screen', scheme)
                case.open(o, width)
                Page.browser.screenshot(f'{os.environ["REPORT_PICTURES"]}.{width}.{scheme}.png')
        Page.doClassCleanups()
        case.doCleanups()
    else:
        unittest.main()
