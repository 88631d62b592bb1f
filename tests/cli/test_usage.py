#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Help, completion and the manual page, which come from one table; mistakes on the command line."""
import json
import re
import shutil
import subprocess
import unittest

from common import OK, USAGE, Case

VERBS = ('list', 'status', 'effects', 'lint', 'explain', 'send', 'policy check', 'policy show', 'policy reload',
         'monitor', 'grant create', 'grant list', 'grant revoke', 'quarantine', 'release', 'reprofile')
OF_ALL = ('-o, --output-format', '--output-format-version', '-v, --verbose', '-q, --quiet',
          '--socket-dir', '--policy', '--timeout', '--color', '-h, --help', '--version')
OF_SEND = ('--scope', '--dry-run', '--uuid', '--fid', '--lid', '--lsp', '--lsi', '--rae', '--cns',
           '--nsid', '--slot', '--offset', '--length', '--selection', '--cdw10', '--cdw15',
           '-i, --input', '--hex', '-O, --output')


class Help(Case):
    def test_help(self):
        out = self.run_cli('--help').out
        for word in VERBS + OF_ALL:
            self.assertRegex(out, rf'(?m)^  {word}\b', word)
        self.assertEqual(self.run_cli('-h').out, out)
        self.assertLess(len(out.splitlines()), 90)

    def test_help_of_each_verb(self):
        for verb in VERBS:
            out = self.run_cli(*verb.split(), '--help').out
            self.assertTrue(out.startswith(f'usage: fwadmit {verb}'), out)
            self.assertTrue(all(len(line) <= 90 for line in out.splitlines()), out)
        for word in ('log', 'grant', 'policy', 'baseline'):
            out = self.run_cli(word, '--help').out
            self.assertEqual([v for v in VERBS if f'  {v}' in out], [v for v in VERBS if v.startswith(word + ' ')])
            self.error(word, code=USAGE, text=f'{word} what?')
        out = self.run_cli('send', '--help').out
        for word in OF_SEND:
            self.assertRegex(out, rf'(?m)^  {word}\b', word)

    def test_version(self):
        self.assertRegex(self.run_cli('--version').out, r'\Afwadmit \d+\.\d+\.\d+\n\Z')
        self.assertKeys(self.json('--version'), {'format_version', 'verb', 'version'})

    def test_man_page_names_everything(self):
        out = self.run_cli('--man').out.replace('\\-', '-')
        for word in VERBS + OF_ALL + OF_SEND:
            self.assertIn(word, out)
        if shutil.which('groff'):
            done = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-z'], input=self.run_cli('--man').raw,
                                  stderr=subprocess.PIPE, check=True)
            self.assertEqual(done.stderr, b'')


class Completion(Case):
    def complete(self, *words):
        """What bash would offer for the last of @words, which readline splits at '='."""
        script = self.file('c.bash', self.run_cli('--completion=bash').out)
        split = [part for word in words for part in re.split('(=)', word) if part or '=' not in word]
        if words[-1].endswith('='):
            split = split[:-1] if split[-1] == '' else split
        array = ' '.join(f"'{w}'" for w in ('fwadmit', *split))
        code = (f'compopt() {{ :; }}; source {script}; COMP_WORDS=({array}); '
                f'COMP_CWORD={len(split)}; _fwadmit; printf "%s\\n" "${{COMPREPLY[@]}}"')
        done = subprocess.run(['bash', '--norc', '-c', code], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().split()

    @unittest.skipUnless(shutil.which('bash'), 'no bash')
    def test_bash(self):
        self.assertEqual(self.complete(''), ['list', 'status', 'monitor', 'effects', 'lint', 'explain', 'send',
                                             'policy', 'grant', 'quarantine', 'release', 'reprofile', 'baseline', 'log',
                                             'verify', 'report', 'advisory'])
        self.assertEqual(self.complete('grant', 'r'), ['revoke'])
        self.assertEqual(self.complete('ex'), ['explain'])
        self.assertEqual(self.complete('policy', 'c'), ['check'])
        self.assertEqual(self.complete('send', '--dr'), ['--dry-run'])
        self.assertEqual(self.complete('effects', '--dr'), [])
        self.assertEqual(self.complete('effects', '--kind=c'), ['cxl-cel'])
        self.assertEqual(self.complete('explain', '--scope=debug-r'), ['debug-read-only'])

    def test_other_shells(self):
        for shell in ('bash', 'zsh', 'fish'):
            script = self.run_cli('--completion=' + shell).out
            for word in ('explain', 'dry-run', 'nvme-effects', 'debug-write-full'):
                self.assertIn(word, script, shell)
            if shutil.which(shell):
                path = self.file('c', script)
                subprocess.run([shell, '-n', path], check=True)


class Mistakes(Case):
    def test_verbs(self):
        self.error(code=USAGE, text='--help')
        self.error('efects', code=USAGE, text='did you mean: fwadmit effects')
        self.error('xyzzy', code=USAGE, text='--help')
        self.error('policy', code=USAGE, text='policy what? fwadmit policy check, fwadmit policy show')
        self.error('policy', 'chekc', code=USAGE, text='fwadmit policy check')

    def test_options(self):
        self.error('effects', '--no-such', code=USAGE, text='--no-such')
        self.error('effects', '-z', code=USAGE, text='-z')
        self.error('effects', '--from', code=USAGE, text='--from')
        self.error('--timeout=soon', 'list', code=USAGE, text='not a number')
        self.error('--timeout=0', 'list', code=USAGE, text='no time')
        self.error('--timeout=', 'list', code=USAGE, text='not a number')
        self.error('--color=blue', 'list', code=USAGE, text='auto, always, never')
        self.error('--output-format-version=0', 'list', code=USAGE, text='only 1')
        self.error('--output-format-version=2', 'list', code=USAGE)
        self.error('effects', '--hex=00', 'sim:honest', code=USAGE, text='--hex')
        self.error('explain', 'sim:honest', 'get-log', '--scope=all', code=USAGE, text='configuration')

    def test_an_unknown_output_format_is_said_in_text(self):
        r = self.run_cli('list', '-o', 'xml', code=USAGE)
        self.assertRegex(r.err, r'\Afwadmit: --output-format=xml: not one of normal, json\n\Z')

    def test_words(self):
        self.error('status', 'now', code=USAGE, text='too many')
        self.error('send', 'sim:honest', code=USAGE, text='usage: fwadmit send DEVICE COMMAND')
        self.error('explain', code=USAGE, text='usage: fwadmit explain')
        self.error('explain', 'sim:honest', code=USAGE, text='--from')
        self.error('lint', 'a', 'b', code=USAGE, text='too many')

    def test_options_before_and_behind_the_verb(self):
        self.assertEqual(json.loads(self.run_cli('-o', 'json', 'explain', 'sim:honest', '0x4000', '--policy',
                                                 self.policy('[grant g]\nuser=*\ndevice=*\n'
                                                             'scope=configuration\n')[9:]).out)
                         ['decision']['verdict'], 'admit')
        self.error('list', '--', '--sim', code=USAGE, text='too many')

    def test_output_that_cannot_be_written(self):
        from common import FWADMIT
        for args in (('--help',), ('effects', 'sim:honest'), ('effects', 'sim:huge', '-o', 'json'),
                     ('send', 'sim:honest', 'get-log', '--uuid=cel', '-O', '-'),
                     ('send', 'sim:honest', 'get-log', '--uuid=cel', '-O', '/dev/full')):
            with open('/dev/full', 'wb') as full:
                done = subprocess.run([FWADMIT, *args], stdout=full, stderr=subprocess.PIPE, check=False, env=self.env)
            self.assertEqual(done.returncode, 1, args)
            self.assertRegex(done.stderr, rb'\Afwadmit: [^\n]*cannot write: No space left on device\n\Z')

    def test_a_reader_that_leaves(self):
        from common import FWADMIT
        for args in (('effects', 'sim:huge'), ('effects', 'sim:huge', '-o', 'json')):
            with subprocess.Popen([FWADMIT, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
                p.stdout.read(1)
                p.stdout.close()
                self.assertEqual(p.stderr.read(), b'', args)


if __name__ == '__main__':
    unittest.main()
