//! What was done, as people say it: the words between who and what.

/// The kinds of things, as the filter names them.
pub const KINDS: [(&str, &str); 22] = [
    ("account", "Accounts"),
    ("session", "Sessions"),
    ("token", "API tokens"),
    ("team", "Teams"),
    ("member", "Members"),
    ("invitation", "Invitations"),
    ("site", "Sites"),
    ("repository", "Repositories"),
    ("deploy_key", "Deploy keys"),
    ("environment", "Environments"),
    ("variables", "Variables"),
    ("domain", "Domains"),
    ("deployment", "Deployments"),
    ("preview", "Previews"),
    ("previews", "Settings of previews"),
    ("webhook", "Webhooks"),
    ("delivery", "Deliveries"),
    ("github", "GitHub"),
    ("quota", "Quotas"),
    ("signup", "Sign-up"),
    ("master_key", "Master keys"),
    ("signing_key", "Signing keys"),
];

/// What was done, before the name of what it was done to: `renamed the site`.
pub fn phrase(action: &str) -> Option<&'static str> {
    Some(match action {
        "account.add_passkey" => "added a passkey to the account",
        "account.change_email" => "changed the address of the account",
        "account.change_password" => "changed the password of the account",
        "account.register" => "made the account",
        "account.delete" => "deleted the account",
        "account.disable_totp" => "turned off the second factor of the account",
        "account.enable_totp" => "turned on the second factor of the account",
        "account.fail_sign_in" => "refused to let somebody in to the account",
        "account.link_provider" => "linked an account at a provider to the account",
        "account.promote" => "made an administrator of the platform of the account",
        "account.remove_passkey" => "removed a passkey of the account",
        "account.rename" => "renamed the account",
        "account.renew_recovery_codes" => "made new recovery codes for the account",
        "account.reset_password" => "gave another password to the account",
        "account.sign_in" => "signed in to the account",
        "account.unlink_provider" => "unlinked an account at a provider from the account",
        "account.verify_email" => "confirmed the address of the account",
        "delivery.replay" => "replayed a delivery of",
        "deploy_key.create" => "made a deploy key for",
        "deploy_key.delete" => "removed the deploy key of",
        "deployment.cancel" => "cancelled a deployment of",
        "deployment.create" => "deployed",
        "deployment.promote" => "promoted a deployment of",
        "deployment.redeploy" => "repeated a deployment of",
        "deployment.rollback" => "rolled back",
        "domain.change" => "changed the domain",
        "domain.create" => "added the domain",
        "domain.delete" => "removed the domain",
        "domain.verify" => "proved the domain",
        "environment.change" => "changed the environment",
        "environment.create" => "made the environment",
        "environment.delete" => "deleted the environment",
        "environment.pause" => "paused the environment",
        "environment.resume" => "resumed the environment",
        "github.connect" => "connected GitHub's account",
        "github.forget" => "forgot the GitHub App",
        "invitation.accept" => "accepted the invitation of",
        "invitation.create" => "invited",
        "invitation.withdraw" => "withdrew the invitation of",
        "invitation.resend" => "sent the invitation again to",
        "master_key.rotate" => "made the master key",
        "member.change" => "changed the role of",
        "member.leave" => "left with the account",
        "member.remove" => "removed the member",
        "preview.approve" => "approved the preview",
        "preview.remove" => "removed the preview",
        "previews.change" => "changed the previews of",
        "quota.change" => "changed the quota of",
        "repository.change" => "changed the repository of",
        "session.revoke" | "session.revoke_others" => "signed out",
        "session.revoke_reused" => "ended a session of",
        "signing_key.rotate" => "made the signing key",
        "signup.change" => "changed",
        "site.create" => "made the site",
        "site.delete" => "deleted the site",
        "site.rename" => "renamed the site",
        "site.transfer" => "moved the site",
        "team.create" => "made the team",
        "team.delete" => "deleted the team",
        "team.rename" => "renamed the team",
        "token.create" => "made the API token",
        "token.delete" => "removed the API token",
        "variables.change" => "changed variables of",
        "webhook.revoke_old_secret" => "revoked the webhook's old secret of",
        "webhook.rotate_secret" => "replaced the webhook's secret of",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// Things whose actions are also written down apart from `Entry::new`.
    const APART: [&str; 6] = ["account", "deployment", "environment", "invitation", "member", "preview"];

    /// The actions that are written down in the sources below this folder.
    fn actions(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                actions(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let mut keep = |begin: &str, kind: &str| {
                    let words = text.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
                    found.extend(words.filter(|word| !word.is_empty()).map(|word| format!("{kind}{word}")));
                };
                keep("Entry::new(\"", "");
                for kind in APART {
                    keep(&format!("\"{kind}."), &format!("{kind}."));
                }
            }
        }
    }

    #[test]
    fn everything_that_is_noted_can_be_said() {
        let mut found = Vec::new();
        actions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/platform/src"), &mut found);
        assert!(!found.is_empty());
        for action in found {
            assert!(phrase(&action).is_some(), "audit/words.rs has no words for {action}");
            let kind = action.split('.').next().unwrap();
            assert!(KINDS.iter().any(|(name, _)| *name == kind), "audit/words.rs has no kind for {action}");
        }
    }
}
