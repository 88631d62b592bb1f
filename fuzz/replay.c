/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over files: the corpus as an ordinary test, in any build.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/util.h"
#include "fuzz/fuzz.h"

static int replay(const char *path)
{
	fwa_auto_free uint8_t *data = NULL;
	fwa_auto_free uint8_t *exact = NULL;
	size_t len;

	if (fwa_read_file(path, 1 << 24, &data, &len) < 0) {
		perror(path);
		return 1;
	}
	/* Without the byte behind the end, so that a read past it is seen. */
	exact = malloc(len ? len : 1);
	if (!exact)
		return 1;
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = LLVMFuzzerTestOneInput((const uint8_t *)"", 0), n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *e;

		while (dir && (e = readdir(dir))) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
			failed |= replay(path);
			n++;
		}
		if (dir)
			closedir(dir);
	}
	printf("%d files\n", n);
	return failed;
}
