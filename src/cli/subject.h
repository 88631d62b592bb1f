/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a verb works on: a device behind a gate, or the declarations in a file. Either way a
 * profile, and the rights that decisions are made with.
 */
#pragma once

#include <sys/types.h>

#include "cli/advised.h"
#include "cli/cli.h"
#include "cli/journal.h"
#include "core/decide.h"
#include "core/policy.h"
#include "core/profile.h"
#include "host/baseline.h"
#include "host/digest.h"
#include "host/policy-file.h"
#include "proto/client.h"

struct cli_subject {
	const char *kind;  /* "device", or the value of --kind */
	size_t source_len; /* bytes of the file, or of the encoded profile */
	char source_sha256[FWA_DIGEST_TEXT];
	char name[FWA_TEXT_MAX]; /* as policy sees it; empty for a file */
	char spec[512];          /* embedded: what the worker opened, policy sees it too */
	bool identified;         /* a device said who it is: not for raw logs */

	uint8_t *encoded; /* owned */
	size_t encoded_len;
	struct fwa_profile *profile; /* owned; views @encoded */
	char digest[FWA_DIGEST_TEXT];

	enum fwa_baseline_state baseline_state;
	uint8_t *accepted; /* owned: the baseline, when the device's declarations differ */
	struct fwa_profile *baseline; /* owned: views @accepted */
	struct fwa_drift drift;       /* what the contract's drift is, when there is one */

	struct cli_advised advised;
	struct fwa_contract contract; /* with what is advised of the command that was judged last */
	struct fwa_rights rights;
	uint8_t *filters; /* owned; what the rights view */
	char grant_names[FWA_RIGHTS_MAX][FWA_GRANT_NAME_MAX];
	char tickets[FWA_RIGHTS_MAX][FWA_GRANT_TICKET_MAX];
	uint64_t now;
	char policy_digest[FWA_DIGEST_TEXT];
	struct fwa_caller caller; /* whom the gate takes this program for */
	bool as_caller;           /* and it is that one who is judged */
	bool embedded;            /* the worker is this program's own */

	struct fwa_client *client;      /* NULL for a file */
	int control;                    /* embedded: the worker's control socket, -1 otherwise */
	pid_t worker;                   /* 0: none */
	struct fwa_identified identity; /* embedded: who the device said that it is */
	enum fwa_baseline_source baseline_source; /* embedded: what it was answered */
	int declarations;                         /* embedded: its own, a sealed memfd, or -1 */
	struct cli_journal journal;               /* embedded: of what is sent */
};

#define CLI_SUBJECT_NONE \
	((struct cli_subject){ .control = -1, .declarations = -1, .journal = CLI_JOURNAL_NOT })

/*
 * Opens @device and asks for its description. CLI_OK, or the exit code after cli_fail(). Who is going to
 * send something sets @s->journal.wanted before.
 */
int cli_subject_open_device(const struct cli *cli, const char *device, struct cli_subject *s);
/* The same without saying an error: it is put in @error. */
int cli_subject_try_device(const struct cli *cli, const char *device, struct cli_subject *s,
			   char error[FWA_ERROR_LEN]);
/* Reads --from=FILE of --kind=KIND. CLI_OK, or the exit code after cli_fail(). */
int cli_subject_open_file(const struct cli *cli, struct cli_subject *s);
/*
 * Opens what the command line names: --from, or the first word. *ret_words is the number of words
 * that were used.
 */
int cli_subject_open(const struct cli *cli, struct cli_subject *s, int *ret_words);
void cli_subject_close(struct cli_subject *s);

#define cli_auto_subject __attribute__((cleanup(cli_subject_close)))

/* Hangs up, and sees an embedded worker off. */
void cli_worker_close(struct cli_subject *s);

/* Takes ownership of @encoded; parses it and computes the digest. False when it is no profile. */
bool cli_subject_set_profile(struct cli_subject *s, uint8_t *encoded, size_t len);

/* Copies @rights and the filters that they view. False when there is no memory. */
bool cli_subject_set_rights(struct cli_subject *s, const struct fwa_rights *rights);

/*
 * Takes the baseline of @d, and holds the contract to it when that binds the caller. 0, -ENOMEM, or
 * -EPROTO when it is none.
 */
int cli_subject_set_baseline(struct cli_subject *s, const struct fwa_description *d);
/* Holds the contract to the baseline or not, as for a caller with @uid. */
void cli_subject_bind(struct cli_subject *s, uint32_t uid);

/*
 * Folds @files for @who, on the subject's device, into its rights, as of @m. CLI_OK, or after
 * cli_fail().
 */
int cli_subject_fold(const struct cli *cli, struct cli_subject *s,
		     const struct fwa_policy_files *files, const struct fwa_principal *who,
		     const struct fwa_moment *m);

/*
 * Fills @who for @user, as if it was the one who asks. The groups are fresh memory. A number needs no
 * account, and is in no group then. False when there is no such user.
 */
bool cli_principal(const char *user, struct fwa_principal *who, gid_t **ret_groups);

/*
 * Puts in place of the caller's rights those of @user (NULL: root), in the systemd unit of --unit, by
 * the policy files, for the device's name and spec.
 */
int cli_subject_judge_as(const struct cli *cli, struct cli_subject *s, const char *user);

/* Writes the profile to @path, for --from --kind=profile. */
int cli_subject_save(const struct cli *cli, const struct cli_subject *s, const char *path);

/* Reads pairs of hex digits; blanks, ':' and a leading "0x" are skipped. -1, or the number of bytes. */
ssize_t cli_unhex(const char *text, uint8_t *buf, size_t cap);

/* Which command sets the subject has: NVMe, else the CXL mailbox. */
static inline bool cli_subject_is_nvme(const struct cli_subject *s)
{
	return s->profile->has_nvme || s->profile->family == FWA_FAMILY_NVME;
}
