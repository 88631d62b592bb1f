/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to outlive this program, in files of its own; and whose files may be believed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define FWA_STATE_DIR "/var/lib/fwadmit"

/*
 * The state folder of this process: $FWADMIT_STATE_DIR, else /var/lib/fwadmit for root, else below
 * $XDG_STATE_HOME or $HOME. Fresh memory; NULL when there is none (no home) or no memory.
 */
char *fwa_state_dir(void);
/* The same for what is a user's own, and root's: never /var/lib/fwadmit unless the environment says so. */
char *fwa_own_state_dir(void);

/*
 * Writes @len bytes of @data to @dir/@name, mode 0600: whole and on disk when it returns 0; else
 * negative errno, and what was there before is there still, unless only its folder could not be
 * synchronised.
 */
int fwa_write_durably(const char *dir, const char *name, const void *data, size_t len);

/* Removes what fwa_write_durably() left in @dir when it was ended on its way. */
void fwa_remove_leftovers(const char *dir);

/* Whether nobody but root, and whoever runs this, has or may have had a hand in it. */
bool fwa_is_ours(const struct stat *st);

/* Makes @path and what is missing above it, mode 0700. 0 or negative errno. */
int fwa_make_dirs(const char *path);
