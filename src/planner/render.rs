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
    let message = || unmet.message.as_deref().unwrap_or_default();
    let statement = match unmet.kind {
        UnmetKind::Unmatched => format!("{} ({})", unmatched_statement(unmet), needed(unmet)),
        UnmetKind::Ambiguous => {
            let max = unmet.needed.and_then(|needed| needed.max()).unwrap_or_default();
            let least = if unmet.truncated { "at least " } else { "" };
            let may = if max == 0 { "none may".to_owned() } else { format!("at most {max} may") };
            format!("{least}{}, and {may}", provide(unmet))
        }
        UnmetKind::TooManyMatches => {
            format!(
                "more than {} components match, and no require may have more (the setting max-matches)",
                unmet.found
            )
        }
        UnmetKind::UndefinedMatch => message().to_owned(),
        UnmetKind::FirstDeployment => format!(
            "nothing was ever deployed{} with success, and the policy there is to refuse a first deployment",
            unmet.environment.as_ref().map_or_else(String::new, |environment| format!(" to {environment}"))
        ),
    };
    match &unmet.require {
        Some(require) => format!("{require}: {statement}"),
        None => statement,
    }
}

fn unmatched_statement(unmet: &Unmet) -> String {
    let place = place(unmet);
    // A candidate fails on `environment` wherever it is not in the one that is asked for.
    let all_elsewhere = unmet.environment.is_some() && unmet.reasons.get("environment") == Some(&unmet.considered);
    match &unmet.interface {
        _ if unmet.found > 0 => format!("only {}", provide(unmet)),
        None => format!("nothing{place} matches the selector"),
        Some(interface) if unmet.considered == 0 => format!("nothing provides {interface} in any environment"),
        Some(interface) if all_elsewhere => format!("nothing provides {interface}{place}"),
        Some(interface) => format!("nothing that provides {interface}{place} matches the selector"),
    }
}

/// `2 components that provide postgresql in test match`.
fn provide(unmet: &Unmet) -> String {
    let place = place(unmet);
    let provided = unmet.interface.as_ref();
    match unmet.found {
        1 => format!(
            "1 component{}{place} matches",
            provided.map_or_else(String::new, |interface| format!(" that provides {interface}"))
        ),
        many => format!(
            "{many} components{}{place} match",
            provided.map_or_else(String::new, |interface| format!(" that provide {interface}"))
        ),
    }
}

fn place(unmet: &Unmet) -> String {
    unmet.environment.as_ref().map_or_else(String::new, |environment| format!(" in {environment}"))
}

fn needed(unmet: &Unmet) -> String {
    match unmet.needed.map_or(0, |needed| needed.min()) {
        0 => "it is optional".to_owned(),
        1 => "1 is needed".to_owned(),
        many => format!("{many} are needed"),
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
        if let (Some(message), false) = (&self.message, self.kind == UnmetKind::UndefinedMatch) {
            write!(f, "\n  note: {message}")?;
        }
        for nearest in &self.nearest {
            write!(f, "\n  nearest: {nearest}")?;
        }
        for candidate in &self.candidates {
            write!(f, "\n  matches: {candidate}")?;
        }
        if !self.reasons.is_empty() {
            let candidates = if self.considered == 1 { "candidate" } else { "candidates" };
            write!(f, "\n  {} {candidates}; failing:", self.considered)?;
            for (index, (key, count)) in self.reasons.iter().enumerate() {
                write!(f, "{} {count} on {key}", if index == 0 { "" } else { "," })?;
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
