//! An explanation as text, rendered from the data alone.

use std::fmt::{self, Write as _};

use super::explanation::{Candidate, Explanation, Nearest, Unmet, UnmetKind};

/// One sentence for all of it: the first thing unmet, and how many more there are.
pub(super) fn summary(unmet: &[Unmet], total: usize) -> String {
    let mut text = unmet.first().map_or_else(String::new, headline);
    if total > 1 {
        write!(text, "; and {} more", total - 1).expect("writing to a String cannot fail");
    }
    text
}

/// One sentence for an optional require that matched nothing: what it looked for, and what came nearest.
pub(super) fn unmatched(unmet: &Unmet) -> String {
    let mut text = headline(unmet);
    if let Some(nearest) = unmet.nearest.first() {
        write!(text, "; nearest: {nearest}").expect("writing to a String cannot fail");
    }
    text
}

/// What is unmet, in one sentence without a full stop.
fn headline(unmet: &Unmet) -> String {
    let require = unmet.require.as_ref().map_or("", |name| name.as_str());
    let what = unmet.interface.as_ref().map_or_else(|| "what its selector asks for".to_owned(), ToString::to_string);
    let environment = &unmet.environment;
    let needed = unmet.needed.map_or_else(String::new, |needed| match needed.min() {
        0 => "none is needed".to_owned(),
        1 => "1 is needed".to_owned(),
        many => format!("{many} are needed"),
    });
    let found = unmet.found;
    match unmet.kind {
        UnmetKind::Unmatched if found > 0 => {
            format!("{require}: only {found} provide {what} as required in {environment} ({needed})")
        }
        UnmetKind::Unmatched if unmet.considered == 0 => format!("{require}: nothing provides {what} in any environment ({needed})"),
        UnmetKind::Unmatched if unmet.nearest.iter().all(|nearest| *nearest.candidate.environment != *environment.as_str()) => {
            format!("{require}: nothing provides {what} in {environment} ({needed})")
        }
        UnmetKind::Unmatched => format!("{require}: nothing that provides {what} in {environment} matches ({needed})"),
        UnmetKind::Ambiguous => {
            let max = unmet.needed.and_then(|needed| needed.max()).unwrap_or_default();
            let more = if unmet.truncated { "more than " } else { "" };
            format!("{require}: {more}{found} provide {what} in {environment}, and at most {max} may match")
        }
        UnmetKind::TooManyMatches => format!("{require}: more than {found} match, which is more than any require may have"),
        UnmetKind::UndefinedMatch => format!("{require}: {}", unmet.message.as_deref().unwrap_or("a match is undefined")),
        UnmetKind::FirstDeployment => {
            format!("nothing was ever deployed to {environment} with success, and its policy is to refuse the first deployment")
        }
    }
}

/// The whole explanation, a line for each fact.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, unmet) in self.unmet.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            write!(f, "{unmet}")?;
        }
        match self.total {
            Some(total) => write!(f, "\n… and {} more, not explained", total - self.unmet.len()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&headline(self))?;
        if !self.pointer.is_empty() {
            write!(f, "\n  at {}", self.pointer)?;
        }
        for nearest in &self.nearest {
            write!(f, "\n  nearest: {nearest}")?;
        }
        for candidate in &self.candidates {
            write!(f, "\n  matches: {candidate}")?;
        }
        if !self.reasons.is_empty() {
            let candidates = if self.considered == 1 { "candidate" } else { "candidates" };
            write!(f, "\n  of {} {candidates}", self.considered)?;
            for (index, (key, count)) in self.reasons.iter().enumerate() {
                write!(f, "{} {count} for {key}", if index == 0 { " failed:" } else { "," })?;
            }
            if self.truncated {
                f.write_str(" (not all were examined)")?;
            }
        }
        for fix in &self.fixes {
            write!(f, "\n  fix: {}", fix.message)?;
        }
        Ok(())
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.candidate)?;
        for (index, failed) in self.failed.iter().enumerate() {
            let separator = if index == 0 { " fails" } else { "," };
            write!(f, "{separator} {}", failed.expression)?;
            match &failed.actual {
                Some(actual) => write!(f, " (it has {actual:?}")?,
                None => f.write_str(" (it has no such label")?,
            }
            match &failed.note {
                Some(note) => write!(f, "; {note})")?,
                None => f.write_char(')')?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.artifact.as_ref().or(self.server.as_ref()).map_or("", AsRef::as_ref);
        f.write_str(name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " in {}", self.environment)?;
        if self.instance.is_empty() { Ok(()) } else { write!(f, " (instance {})", self.instance) }
    }
}
