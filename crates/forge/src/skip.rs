//! Words in a commit's message that ask for no deployment.

/// `[skip ci]` and `[ci skip]` are what GitHub, GitLab and Bitbucket know; bots that commit write them.
const MARKS: [&str; 4] = ["[skip deploy]", "[deploy skip]", "[skip ci]", "[ci skip]"];

/// The words in this message, upper case or lower case, that ask for no deployment.
pub fn mark(message: &str) -> Option<&'static str> {
    let message = message.to_lowercase();
    MARKS.into_iter().find(|mark| message.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn the_words_may_stand_anywhere_in_the_message() {
        assert_eq!(mark("docs: typo [skip ci]"), Some("[skip ci]"));
        assert_eq!(mark("Typo\n\n[Skip Deploy]\n"), Some("[skip deploy]"));
        assert_eq!(mark("do not skip deploy"), None);
    }
}
