# SPDX-License-Identifier: GPL-2.0-or-later
"""`fwadmit report` without a browser: files, errors, bounds, the same page for the same document."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from common import FWADMIT, Case  # noqa: E402
import document as d  # noqa: E402


class Report(Case):
    def refused(self, text, why, code=1):
        path = self.file('document.json', text)
        done = self.report(path, code=code)
        self.assertEqual(done.stdout, b'')
        self.assertRegex(done.stderr.decode(), r'\Afwadmit: [ -~]+\n\Z')
        self.assertIn(why, done.stderr.decode())

    def test_same_document_same_page(self):
        _, first = self.page(d.text_of(d.campaign()))
        _, again = self.page(d.text_of(d.campaign()))
        self.assertEqual(first, again)

    def test_standard_output_and_input(self):
        text = d.text_of(d.campaign())
        _, page = self.page(text)
        self.assertEqual(self.report('-', data=text.encode()).stdout.decode(), page)
        self.assertEqual(self.report('-', '-O', '-', data=text.encode()).stdout.decode(), page)

    def test_json(self):
        path = self.file('document.json', d.text_of(d.campaign()))
        o = json.loads(self.report(path, '-o', 'json').stdout)
        self.assertEqual((o['verb'], o['kind'], o['findings'], o['file']), ('report', 'fwadmit-campaign', 2, None))
        self.assertEqual(o['html'], self.page(d.text_of(d.campaign()))[1])
        out = os.path.join(self.dir, 'x.html')
        o = json.loads(self.report(path, '-o', 'json', '-O', out).stdout)
        self.assertEqual((o['file'], o['html']), (out, None))

    def test_not_a_document(self):
        for text, why in (('', 'ends too early'), ('{', 'ends too early'), ('[]', 'not a JSON object'), ('{}x', 'not JSON'),
                          ('{} {}', 'not JSON'), ('[' * 1000, 'not JSON'), ('{}', 'format_version'),
                          ('{"format_version":2}', 'format_version'), ('{"format_version":"1"}', 'format_version'),
                          ('{"format_version":1,"kind":"x"}', 'neither a campaign nor evidence'),
                          ('\ufeff{}', 'not JSON'), (b'{"format_version":1,"kind":"\xff"}', 'neither a campaign')):
            self.refused(text, why)

    def test_not_what_it_says(self):
        for change, why in (({'device': None}, 'which device'), ({'findings': None}, 'list of findings'),
                            ({'findings': [1]}, 'no object'),
                            ({'findings': [d.note()] * 257}, 'more than 256 findings')):
            self.refused(d.text_of(d.campaign() | change), why)
        self.refused(d.evidence(None), 'without a finding')

    def test_as_many_findings_as_there_may_be(self):
        _, page = self.page(d.text_of(d.campaign(findings=[d.note()] * 256)))
        self.assertEqual(page.count('<article'), 256)

    def test_evidence_that_was_changed(self):
        good = d.evidence(d.finding())
        self.page(good)
        self.refused(good.replace('"runs": 3', '"runs": 9'), 'not as it was written')
        self.refused(d.evidence(d.finding(), sha256=64 * '1'), 'not as it was written')
        self.refused(d.evidence(d.finding(), id='fwadmit-' + 16 * '1'), 'not as it was written')
        self.refused(json.dumps(json.loads(good)), 'line of their own')

    def test_too_long(self):
        path = os.path.join(self.dir, 'long')
        with open(path, 'wb') as f:
            f.truncate(64 * 1024 * 1024 + 1)
        done = self.report(path, code=1)
        self.assertIn(b'more than 67108864 bytes', done.stderr)

    def test_too_much(self):
        for value in ('0', '[]', '{}'):
            self.refused('{"format_version":1,"a":[' + ','.join([value] * (1 << 20)) + ']}', 'more than 1048576 values')

    def test_no_such_file(self):
        self.report(os.path.join(self.dir, 'none'), code=3)
        self.report(self.dir, code=1)
        self.report(code=2)

    def test_long_sequences_say_what_is_left_out(self):
        steps = [d.command(0x0400, 'get-supported-logs', times=i + 1) for i in range(300)]
        _, page = self.page(d.text_of(d.campaign(findings=[d.finding(steps=steps)])))
        self.assertIn('And 100 more steps', page)
        _, page = self.page(d.text_of(d.campaign(findings=[d.finding(
            steps=[d.command(0x4103, 'set-lsa', 'ab' * 600)])])))
        self.assertIn('600 bytes in all', page)

    def test_many_rows(self):
        rows = [d.row(0xc000 + i, None) for i in range(200)] + [d.row(0x4400, 'sanitize', declared=['data'])]
        _, page = self.page(d.text_of(d.campaign(commands=rows)))
        self.assertIn('Left out above: 200 commands', page)
        self.assertIn('sanitize', page)

    def test_members_of_any_type(self):
        """Each member in turn is something else: there is a page, or one line."""
        def places(o, at=()):
            items = o.items() if isinstance(o, dict) else enumerate(o) if isinstance(o, list) else ()
            for k, v in items:
                yield (*at, k)
                if not isinstance(k, int) or k < 2:
                    yield from places(v, (*at, k))

        whole = d.campaign(findings=[d.finding()], commands=d.ROWS[3:4])
        tried = 0
        for place in places(whole):
            for other in (None, True, -1, 1 << 63, 1e300, 'x', [], [None, 1, 'data'], {}, {'x': 1}):
                o = json.loads(json.dumps(whole))
                at = o
                for k in place[:-1]:
                    at = at[k]
                at[place[-1]] = other
                path = self.file('document.json', d.text_of(o))
                done = subprocess.run([FWADMIT, 'report', path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertIn(done.returncode, (0, 1), (place, other, done.stderr))
                if done.returncode:
                    self.assertRegex(done.stderr.decode(), r'\Afwadmit: [ -~]+\n\Z')
                else:
                    self.assertTrue(done.stdout.endswith(b'</html>\n'))
                tried += 1
        self.assertGreater(tried, 500)


if __name__ == '__main__':
    unittest.main()
