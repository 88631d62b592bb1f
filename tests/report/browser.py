# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium, spoken to over its own pipe: what a page says, asks for and looks like."""
import base64
import json
import os
import shutil
import subprocess
import tempfile

NAMES = ('chromium', 'chromium-browser', 'google-chrome')


def find():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """Of one test: `events` has everything that the page said and asked for."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory()
        to_read, self.to = os.pipe()
        self.of, of_write = os.pipe()
        # it reads from descriptor 3 and writes to 4
        self.process = subprocess.Popen(
            ['sh', '-c', f'exec "$@" 3<&{to_read} 4>&{of_write}', 'sh', find(), '--headless', '--no-sandbox',
             '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run',
             '--disable-component-update', '--disable-sync', '--remote-debugging-pipe',
             '--user-data-dir=' + self.home.name, 'about:blank'],
            pass_fds=(to_read, of_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=self.home.name))
        os.close(to_read)
        os.close(of_write)
        self.n, self.left, self.session, self.events = 0, b'', None, []
        page = self.ask('Target.createTarget', url='about:blank')['targetId']
        self.session = self.ask('Target.attachToTarget', targetId=page, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.ask(domain + '.enable')

    def close(self):
        os.close(self.to)
        os.close(self.of)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home.name, ignore_errors=True)  # its last children may still write there

    def message(self):
        while b'\0' not in self.left:
            more = os.read(self.of, 1 << 20)
            if not more:
                raise EOFError('the browser is gone')
            self.left += more
        text, self.left = self.left.split(b'\0', 1)
        return json.loads(text)

    def ask(self, method, **params):
        self.n += 1
        question = {'id': self.n, 'method': method, 'params': params}
        if self.session:
            question['sessionId'] = self.session
        os.write(self.to, json.dumps(question).encode() + b'\0')
        while True:
            m = self.message()
            if m.get('id') == self.n:
                if 'error' in m:
                    raise RuntimeError(f"{method}: {m['error']}")
                return m['result']
            self.events.append(m)

    def until(self, method):
        while not any(e.get('method') == method for e in self.events):
            self.events.append(self.message())

    def open(self, path, width=1200, height=900):
        self.ask('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                 mobile=False)
        self.events = []
        self.ask('Page.navigate', url='file://' + path)
        self.until('Page.loadEventFired')

    def media(self, kind='screen', scheme='light'):
        self.ask('Emulation.setEmulatedMedia', media=kind,
                 features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def js(self, expression):
        """Of the debugger, which no policy of the page holds back."""
        got = self.ask('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in got:
            raise RuntimeError(got['exceptionDetails'])
        return got['result'].get('value')

    def screenshot(self, path):
        got = self.ask('Page.captureScreenshot', captureBeyondViewport=True, format='png')
        with open(path, 'wb') as f:
            f.write(base64.b64decode(got['data']))

    def pdf(self):
        return base64.b64decode(self.ask('Page.printToPDF', printBackground=True)['data'])

    def said(self):
        """What stands on its console: messages, and what its policy held back."""
        return [e for e in self.events if e.get('method') in ('Runtime.consoleAPICalled', 'Log.entryAdded',
                                                              'Runtime.exceptionThrown',
                                                              'Page.javascriptDialogOpening')]

    def asked_for(self):
        return [e['params']['request']['url'] for e in self.events
                if e.get('method') == 'Network.requestWillBeSent']
