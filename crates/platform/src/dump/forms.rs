//! Looks for a secret in a text: as it is, and as programs write it down. Not made of what cuts secrets out of logs, so
//! that what one of them misses the other may find.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Texts shorter than this are no sign of anything.
const SHORTEST: usize = 8;

/// In which form the text reveals the secret; `None`: in none.
pub fn found(dump: &str, secret: &str) -> Option<String> {
    let lines = secret.lines().filter(|line| line.len() >= SHORTEST && !line.starts_with("-----"));
    let parts: Vec<&str> = std::iter::once(secret.trim()).chain(lines).collect();
    assert!(parts[0].len() >= SHORTEST, "too short to be looked for: {secret}");
    let inner = decoded(dump);
    for part in parts {
        for (form, text) in forms(part) {
            if dump.contains(&text) {
                return Some(format!("{form}: {text}"));
            }
            if contains(&inner, text.as_bytes()) {
                return Some(format!("{form}, in bytes: {text}"));
            }
        }
    }
    None
}

fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let hexadecimal = hex::encode(secret);
    let percent = |byte: u8| ['%', digit(byte >> 4), digit(byte & 15)];
    let every: String = secret.bytes().flat_map(percent).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let needed = |byte: u8| if is_plain(byte) { vec![char::from(byte)] } else { percent(byte).to_vec() };
    let needed: String = secret.bytes().flat_map(needed).collect();
    let in_small =
        |byte: u8| if is_plain(byte) { vec![char::from(byte)] } else { vec!['%', small(byte >> 4), small(byte & 15)] };
    let in_small: String = secret.bytes().flat_map(in_small).collect();
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let mut ascii = String::new();
    for char in json.chars() {
        if char.is_ascii() {
            ascii.push(char);
        } else {
            ascii.extend(['\\', 'u']);
            ascii.extend((0..4).rev().map(|place| small(u8::try_from((u32::from(char) >> (place * 4)) & 15).unwrap())));
        }
    }
    let mut forms = vec![
        ("plain", secret.to_owned()),
        ("quoted for SQL", secret.replace('\'', "''")),
        ("escaped", secret.replace('\\', "\\\\")),
        ("hexadecimal", hexadecimal.to_ascii_uppercase()),
        ("hexadecimal", hexadecimal),
        ("percent", every.to_ascii_lowercase()),
        ("percent", every),
        ("percent", in_small),
        ("percent", needed.replace("%20", "+")),
        ("percent", needed),
        ("JSON", json.replace('/', "\\/")),
        ("JSON", json.replace('\\', "\\\\")),
        ("JSON", ascii),
        ("JSON", json),
        ("backwards", secret.chars().rev().collect()),
    ];
    for before in 0..3 {
        let bytes = [&b"\0\0"[..before.min(2)], secret.as_bytes()].concat();
        // Characters that other bytes have a part in are left out.
        let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.push(("base64", encoded[first..end].to_owned()));
        }
    }
    forms.retain(|(_, form)| form.len() >= SHORTEST);
    forms
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default().to_ascii_uppercase()
}

fn small(value: u8) -> char {
    digit(value).to_ascii_lowercase()
}

/// What stands in columns of bytes, which a dump writes as hexadecimal digits.
fn decoded(dump: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in dump.split("'\\x").skip(1) {
        let digits = part.split('\'').next().unwrap_or_default();
        bytes.extend(hex::decode(digits).unwrap_or_default());
        bytes.push(b'\n');
    }
    bytes
}

fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    bytes.windows(sought.len()).any(|window| window == sought)
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secret = "s3cr3t/with+odd \"chars\"é&='";
    assert_eq!(found("nothing here", secret), None);
    let hexadecimal = hex::encode(secret);
    for text in [
        format!("insert into t values ('{}')", secret.replace('\'', "''")),
        format!("'\\x{hexadecimal}'"),
        format!("'\\x{}'", hex::encode(URL_SAFE_NO_PAD.encode(secret))),
        hexadecimal.to_ascii_uppercase(),
        serde_json::json!({ "a": secret }).to_string(),
        "s3cr3t%2Fwith%2Bodd+%22chars%22%C3%A9%26%3D%27".into(),
        "s3cr3t%2fwith%2bodd%20%22chars%22%c3%a9%26%3d%27".into(),
        STANDARD_NO_PAD.encode(secret),
        STANDARD_NO_PAD.encode(format!("x{secret}")),
        STANDARD_NO_PAD.encode(format!("xy{secret}z")),
    ] {
        assert!(found(&text, secret).is_some(), "{text}");
    }
}
