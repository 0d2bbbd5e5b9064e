//! What the mails about accounts say. A name that a stranger chose is in none of them: it could say anything.

use super::links;
use crate::{Platform, mail::Mail};

fn mail(subject: &str, text: String) -> Mail {
    Mail { subject: subject.to_owned(), text }
}

fn place(platform: &Platform) -> &str {
    &platform.settings.public_url
}

/// To the address of an account that is to be made.
pub(super) fn registration(platform: &Platform, token: &str) -> Mail {
    let (place, link) = (place(platform), links::address(platform, "confirm", token));
    mail(
        "Confirm your WebMeteor account",
        format!(
            "Somebody wants to make an account at {place} with this address.\n\nIf it was you, open this link and \
             confirm it within a day:\n\n{link}\n\nIf it was not you, do nothing: no account is made.\n"
        ),
    )
}

/// To an address that has an account, when somebody registers with it.
pub(super) fn has_account(platform: &Platform) -> Mail {
    let place = place(platform);
    mail(
        "You have a WebMeteor account already",
        format!(
            "Somebody wanted to make an account at {place} with this address, which has one already. Nothing was \
             changed.\n\nIf it was you, sign in:\n\n{place}/sign-in\n\nIf you do not know your password, set \
             another one:\n\n{place}/forgot\n"
        ),
    )
}

/// To the address of an account that is to be proved.
pub(super) fn verification(platform: &Platform, token: &str) -> Mail {
    let (place, link) = (place(platform), links::address(platform, "confirm", token));
    mail(
        "Confirm your e-mail address",
        format!(
            "There is an account at {place} with this address. Open this link and confirm within a day that the address \
             is yours:\n\n{link}\n\nIf you know nothing of it, do nothing.\n"
        ),
    )
}

/// To who has forgotten a password.
pub(super) fn reset(platform: &Platform, token: &str) -> Mail {
    let (place, link) = (place(platform), links::address(platform, "reset", token));
    mail(
        "Set another password",
        format!(
            "Somebody asked for another password for your account at {place}.\n\nIf it was you, set it within an \
             hour:\n\n{link}\n\nIf it was not you, do nothing: your password stays as it is.\n"
        ),
    )
}

/// After a password was changed or reset.
pub(super) fn password_changed(platform: &Platform) -> Mail {
    let place = place(platform);
    mail(
        "Your password was changed",
        format!(
            "The password of your account at {place} was changed, and everything that was signed in with it has \
             ended.\n\nIf it was not you, set another one at once:\n\n{place}/forgot\n"
        ),
    )
}

/// To the address that an account is to have.
pub(super) fn new_email(platform: &Platform, token: &str) -> Mail {
    let (place, link) = (place(platform), links::address(platform, "confirm", token));
    mail(
        "Confirm your new e-mail address",
        format!(
            "An account at {place} is to have this address. If it is yours, open this link and confirm it within a \
             day:\n\n{link}\n\nIf it is not, do nothing.\n"
        ),
    )
}

/// To an address that has an account, when another one is to have it.
pub(super) fn email_in_use(platform: &Platform) -> Mail {
    let place = place(platform);
    mail(
        "This address has a WebMeteor account already",
        format!(
            "Another account at {place} is to have this address. It has an account of its own, so nothing is \
             changed.\n\nIf you want the other one to have it, change the address of this account first:\n\n\
             {place}/account\n"
        ),
    )
}

/// To the address that an account has, when it is to have another.
pub(super) fn email_change_asked(platform: &Platform, new: &str) -> Mail {
    let place = place(platform);
    mail(
        "Your account is to have another address",
        format!(
            "Your account at {place} is to have the address {new}, as soon as that is confirmed from there.\n\nIf it \
             was not you, somebody knows your password: set another one, which also voids the change:\n\n\
             {place}/forgot\n"
        ),
    )
}

/// To the address that an account had.
pub(super) fn email_changed(platform: &Platform, new: &str) -> Mail {
    let place = place(platform);
    mail(
        "Your account has another address now",
        format!(
            "Your account at {place} has the address {new} now; mail about it goes there.\n\nIf it was not you, tell the \
             operator of {place} at once.\n"
        ),
    )
}

/// To who has deleted an account.
pub(super) fn deleted(platform: &Platform) -> Mail {
    let place = place(platform);
    mail(
        "Your account is deleted",
        format!(
            "Your account at {place} is deleted, with all that was yours alone.\n\nIf it was not you, tell the operator \
             of {place} at once.\n"
        ),
    )
}
