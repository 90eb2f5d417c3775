//! Nodes of the history: they stand in the database, but not all of them in memory, so that no pattern may match them.

use super::Unanswerable;
use super::cursor::Reader;
use crate::cypher::statement::TokenKind;

impl Reader<'_> {
    pub fn refuse_history(&self, at: usize) -> Unanswerable {
        let advice = "it would match parts of the history too, which are not in memory; give a node a label, or a relationship a type";
        self.refuse_at(at, "this pattern", advice)
    }

    /// Refuses the nodes of this clause without a label, but for one of these names.
    pub fn all_labelled(&mut self, but: &[String]) -> Result<(), Unanswerable> {
        let nodes = std::mem::take(&mut self.unlabelled);
        match nodes.iter().find(|(_, name)| !but.contains(name)) {
            Some((at, _)) => Err(self.refuse_history(*at)),
            None => Ok(()),
        }
    }

    /// The same where a condition follows: `n:A OR n:B`, or this and something else, says the label.
    pub fn labelled_by_condition(&mut self) -> Result<(), Unanswerable> {
        let open = usize::from(self.is('('));
        let name_at = |count: usize| match self.after(count).map(|token| &token.kind) {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => Some(name.clone()),
            _ => None,
        };
        let first = name_at(open).filter(|_| self.is_after(open + 1, ':'));
        let mut count = open;
        while name_at(count) == first && first.is_some() && self.is_after(count + 1, ':') {
            count += 3;
            if !self.is_word_after(count, "OR") {
                break;
            }
            count += 1;
        }
        let closes = open == 0 || self.is_after(count, ')');
        let after = count + open;
        let goes_on = ["OR", "XOR"].iter().any(|word| self.is_word_after(after, word));
        let named = first.filter(|_| closes && !goes_on && !self.is_word_after(count - 1, "OR"));
        self.all_labelled(&named.into_iter().collect::<Vec<_>>())
    }
}
