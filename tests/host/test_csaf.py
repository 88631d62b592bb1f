#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Advisories as CSAF 2.0: what its JSON schema requires, and the mandatory tests that can fail here.

The tables say what https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json and sections 4.4 (profile "Security
Advisory") and 6.1 of the specification demand of the objects that we write.
"""
import json
import re

from common import Case, DOCUMENT, main

# Where: members that the schema requires; those of 4.4 with a star.
REQUIRED = {
    '': ['document', 'product_tree*', 'vulnerabilities*'],
    'document': ['category', 'csaf_version', 'publisher', 'title', 'tracking'],
    'document/publisher': ['category', 'name', 'namespace'],
    'document/tracking': ['current_release_date', 'id', 'initial_release_date', 'revision_history', 'status',
                          'version'],
    'document/tracking/generator': ['engine'],
    'document/tracking/generator/engine': ['name'],
    'document/tracking/revision_history/*': ['date', 'number', 'summary'],
    'document/notes/*': ['category', 'text'],
    'document/references/*': ['summary', 'url'],
    'product_tree/branches/*': ['category', 'name', 'branches'],
    'product_tree/branches/*/branches/*': ['category', 'name', 'branches'],
    'product_tree/branches/*/branches/*/branches/*': ['category', 'name', 'product'],
    'product_tree/branches/*/branches/*/branches/*/product': ['name', 'product_id'],
    'vulnerabilities/*': ['notes*', 'product_status*'],
    'vulnerabilities/*/ids/*': ['system_name', 'text'],
    'vulnerabilities/*/notes/*': ['category', 'text'],
    'vulnerabilities/*/references/*': ['summary', 'url'],
    'vulnerabilities/*/remediations/*': ['category', 'details'],
}
# Members that the schema knows of these objects, of which it allows no others or we write no others.
KNOWN = {
    'document': ['category', 'csaf_version', 'lang', 'notes', 'publisher', 'references', 'title', 'tracking'],
    'product_tree/branches/*': ['category', 'name', 'branches'],
    'vulnerabilities/*': ['ids', 'notes', 'product_status', 'references', 'remediations', 'title'],
    'vulnerabilities/*/remediations/*': ['category', 'details', 'product_ids'],
}
ENUMS = {
    'document/publisher/category': ['coordinator', 'discoverer', 'other', 'translator', 'user', 'vendor'],
    'document/tracking/status': ['draft', 'final', 'interim'],
    'document/csaf_version': ['2.0'],
    'document/category': ['csaf_security_advisory'],
    'document/references/*/category': ['external', 'self'],
    'document/notes/*/category': ['description', 'details', 'faq', 'general', 'legal_disclaimer', 'other',
                                  'summary'],
    'vulnerabilities/*/notes/*/category': ['description', 'details', 'faq', 'general', 'legal_disclaimer', 'other',
                                           'summary'],
    'vulnerabilities/*/remediations/*/category': ['mitigation', 'no_fix_planned', 'none_available', 'vendor_fix',
                                                  'workaround'],
    'product_tree/branches/*/category': ['vendor'],
    'product_tree/branches/*/branches/*/category': ['product_name'],
    'product_tree/branches/*/branches/*/branches/*/category': ['product_version_range'],
}
SEMANTIC = re.compile(r'^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$')
DATE_TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
RANGE = re.compile(r'^vers:[a-z.+-][a-z0-9.+-]*/[^ ]+$')


def find(o, path):
    """Each value that @path leads to; a star is each item of a list."""
    found = [o]
    for part in filter(None, path.split('/')):
        if part == '*':
            found = [item for value in found for item in value]
        else:
            found = [value[part] for value in found if part in value]
    return found


class Csaf(Case):
    def csaf(self, **changes):
        r = self.run_tool('csaf', self.signed({**DOCUMENT, **changes}))
        self.assertEqual(r.stderr, '')
        return json.loads(r.stdout)

    def check(self, doc):
        for path, members in REQUIRED.items():
            for o in find(doc, path):
                for m in members:
                    self.assertIn(m.rstrip('*'), o, path)
        for path, members in KNOWN.items():
            for o in find(doc, path):
                self.assertLessEqual(set(o), set(members), path)
        for path, values in ENUMS.items():
            self.assertTrue(find(doc, path) or 'references' in path, path)
            for value in find(doc, path):
                self.assertIn(value, values, path)
        self.check_texts(doc)
        self.check_tracking(doc['document']['tracking'])
        self.check_products(doc)

    def check_texts(self, o):
        """No empty text, list or object anywhere: minLength, minItems and minProperties are 1."""
        if isinstance(o, (dict, list)):
            self.assertTrue(o)
            for value in o.values() if isinstance(o, dict) else o:
                self.check_texts(value)
        else:
            self.assertIsInstance(o, str)
            self.assertTrue(o)

    def check_tracking(self, tracking):  # 6.1.14 to 6.1.22, 6.1.30
        self.assertEqual(tracking['version'], tracking['revision_history'][-1]['number'])
        self.assertRegex(tracking['version'], SEMANTIC)
        self.assertEqual(tracking['version'].split('.')[0], '1')
        for key in 'current_release_date', 'initial_release_date':
            self.assertRegex(tracking[key], DATE_TIME)
        self.assertLessEqual(tracking['initial_release_date'], tracking['current_release_date'])
        self.assertRegex(tracking['id'], r'^\S(.*\S)?$')

    def check_products(self, doc):  # 6.1.1, 6.1.2, 6.1.29, 6.2.18
        leaf = 'product_tree/branches/*/branches/*/branches/*'
        ids = find(doc, leaf + '/product/product_id')
        self.assertEqual(len(ids), len(set(ids)))
        for path in ('vulnerabilities/*/product_status/known_affected',
                     'vulnerabilities/*/remediations/*/product_ids'):
            self.assertEqual(find(doc, path), [ids] * len(doc['vulnerabilities']))
        for name in find(doc, leaf + '/name'):
            self.assertRegex(name, RANGE)

    def test_required(self):
        doc = self.csaf()
        self.check(doc)
        self.assertEqual(doc['document']['tracking']['version'], '1.3.0')
        self.assertEqual(doc['document']['publisher'],
                         {'category': 'other', 'name': 'Example', 'namespace': 'https://example.com'})
        self.assertEqual(find(doc, 'product_tree/branches/*/branches/*/branches/*/name'),
                         ['vers:generic/>=1.0|<=1.9', 'vers:generic/<=a%20b%7Cc', 'vers:generic/7', 'vers:all/*'])
        self.assertEqual(find(doc, 'product_tree/branches/*/name'), ['Acme*', 'Acme*', 'any vendor', 'any vendor'])

    def test_commands_come_back(self):
        """What a program reads out of it is the advisory's own."""
        doc = self.csaf()
        ids = find(doc, 'vulnerabilities/*/ids/*')
        self.assertEqual({i['system_name'] for i in ids}, {'fwadmit-effects-breach'})
        self.assertEqual([json.loads(i['text']) for i in ids], DOCUMENT['commands'])
        self.assertIn(DOCUMENT['evidence'][0]['sha256'], json.dumps(doc))

    def test_without_what_may_be_missing(self):
        doc = self.csaf(reference='', evidence=[], products=[{'family': 'sim'}])
        self.check(doc)
        self.assertNotIn('references', doc['document'])

    def test_hostile_texts_are_texts(self):
        doc = self.csaf(title='<script>"\\', products=[{'family': 'nvme', 'vendor': '"><b>', 'model': '\\*'}])
        self.check(doc)
        self.assertEqual(doc['document']['title'], '<script>"\\')


if __name__ == '__main__':
    main()
