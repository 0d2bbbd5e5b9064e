//! The settings of the providers that people may sign in with.

use super::{parse, table::Values};
use platform::settings::{Provider, ProviderKind};
use secrecy::SecretString;

/// Google's issuer: <https://developers.google.com/identity/openid-connect/openid-connect>
const GOOGLE: &str = "https://accounts.google.com";

/// Parses all of them, so that all mistakes are told.
pub fn take(values: &mut Values) -> Option<Vec<Provider>> {
    let github = pair(values, "SIGNIN_GITHUB_CLIENT_ID", "SIGNIN_GITHUB_CLIENT_SECRET");
    let google = pair(values, "SIGNIN_GOOGLE_CLIENT_ID", "SIGNIN_GOOGLE_CLIENT_SECRET");
    let oidc = pair(values, "SIGNIN_OIDC_CLIENT_ID", "SIGNIN_OIDC_CLIENT_SECRET");
    let is_wanted = !values.raw("SIGNIN_OIDC_CLIENT_ID").value.is_empty();
    let issuer = values.take("SIGNIN_OIDC_ISSUER", |raw| match (raw.is_empty(), is_wanted) {
        (false, true) => issuer(raw).map(Some),
        (true, false) => Ok(None),
        (true, true) => Err("is missing; it is the address of the provider, such as https://id.example.org.".into()),
        (false, false) => Err("there is no WEBMETEOR_SIGNIN_OIDC_CLIENT_ID beside it.".into()),
    });
    let label = values.take("SIGNIN_OIDC_LABEL", label);
    let made = |key, label: &str, kind, (client_id, client_secret)| Provider {
        key,
        label: label.to_owned(),
        kind,
        client_id,
        client_secret,
    };
    let openid = |issuer: &str| ProviderKind::OpenId { issuer: issuer.to_owned() };
    let (github, google, oidc, issuer, label) = (github?, google?, oidc?, issuer?, label?);
    let github = github.map(|pair| made("github", "GitHub", ProviderKind::GitHub, pair));
    let google = google.map(|pair| made("google", "Google", openid(GOOGLE), pair));
    let oidc = oidc.zip(issuer).map(|(pair, issuer)| made("oidc", &label, openid(&issuer), pair));
    Some([github, google, oidc].into_iter().flatten().collect())
}

/// What a provider knows the platform by; both or neither.
#[expect(clippy::option_option, reason = "wrong, or not given, or given")]
fn pair(values: &mut Values, id: &'static str, secret: &'static str) -> Option<Option<(String, SecretString)>> {
    let (has_id, has_secret) = (!values.raw(id).value.is_empty(), !values.raw(secret).value.is_empty());
    let given = |raw: &str, is_needed: bool, with: &str| {
        if is_needed && raw.is_empty() {
            return Err(format!("is missing; the provider gave it with {with}."));
        }
        Ok(raw.to_owned())
    };
    let id = values.take(id, |raw| given(raw, has_secret, "the secret"));
    let secret = values.take(secret, |raw| given(raw, has_id, "the client's id").map(SecretString::from));
    let (id, secret) = (id?, secret?);
    Some((!id.is_empty()).then_some((id, secret)))
}

/// As the provider itself writes it: it is compared letter by letter.
fn issuer(raw: &str) -> Result<String, String> {
    parse::forge_url(raw)
        .map(|_| raw.to_owned())
        .map_err(|_| format!("“{raw}” is not the address of a provider, such as https://id.example.org/realms/main."))
}

/// What stands on the button.
fn label(raw: &str) -> Result<String, String> {
    let is_good = (1..=40).contains(&raw.chars().count()) && !raw.chars().any(char::is_control);
    if is_good { Ok(raw.to_owned()) } else { Err("give it a name of 40 characters at most.".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Vec<(String, String)>, Vec<String>> {
        let mut values = Values::default();
        values.read_vars(vars.iter().map(|(name, value)| (format!("WEBMETEOR_SIGNIN_{name}"), (*value).to_owned())));
        let found = take(&mut values).filter(|_| values.wrong().is_empty());
        let found = found.ok_or_else(|| values.wrong().to_vec())?;
        Ok(found.into_iter().map(|it| (it.key.to_owned(), it.label)).collect())
    }

    #[test]
    fn there_are_none_until_the_operator_names_them() {
        assert_eq!(read(&[]), Ok(Vec::new()));
        let all = [
            ("GITHUB_CLIENT_ID", "a"),
            ("GITHUB_CLIENT_SECRET", "b"),
            ("GOOGLE_CLIENT_ID", "a"),
            ("GOOGLE_CLIENT_SECRET", "b"),
            ("OIDC_CLIENT_ID", "a"),
            ("OIDC_CLIENT_SECRET", "b"),
            ("OIDC_ISSUER", "https://id.example.org"),
            ("OIDC_LABEL", "Example"),
        ];
        let named = [("github", "GitHub"), ("google", "Google"), ("oidc", "Example")];
        assert_eq!(read(&all), Ok(named.map(|(key, label)| (key.to_owned(), label.to_owned())).to_vec()));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (vars, missing) in [
            (&[("GITHUB_CLIENT_ID", "a")][..], "WEBMETEOR_SIGNIN_GITHUB_CLIENT_SECRET: "),
            (&[("GOOGLE_CLIENT_SECRET", "b")], "SIGNIN_GOOGLE_CLIENT_ID: "),
            (&[("OIDC_CLIENT_ID", "a"), ("OIDC_CLIENT_SECRET", "b")], "SIGNIN_OIDC_ISSUER: "),
            (&[("OIDC_ISSUER", "https://id.example.org")], "SIGNIN_OIDC_ISSUER: "),
            (&[("OIDC_LABEL", "a\u{7}")], "SIGNIN_OIDC_LABEL: "),
            (
                &[("OIDC_CLIENT_ID", "a"), ("OIDC_CLIENT_SECRET", "b"), ("OIDC_ISSUER", "http://id.example.org")],
                "SIGNIN_OIDC_ISSUER: ",
            ),
        ] {
            let wrong = read(vars).unwrap_err();
            assert!(wrong.len() == 1 && wrong[0].contains(missing), "{vars:?}: {wrong:?}");
        }
    }
}
