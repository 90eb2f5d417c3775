//! Tokens judged: which words are clauses, which are names, and whether all clauses only read.
//!
//! Two rules stand, one behind the other. Words of clauses that do more than read are refused wherever they are not for
//! certain a name. And two operands never stand side by side, so a clause that no one here has heard of is refused too:
//! between `MATCH (n)` and what follows only a word of the lists below may stand.

use super::functions;
use super::tokens::{Token, TokenKind};
use super::{MAX_DEPTH, Refusal, RefusalKind};

/// Clauses and commands that do anything but read the graph, and the words that begin them in dialects and to come.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "ALTER", "CALL", "CREATE", "CYPHER", "DEALLOCATE", "DELETE", "DENY", "DETACH", "DROP", "DRYRUN", "ENABLE",
    "EXPLAIN", "FILTER", "FINISH", "FOR", "FOREACH", "GRANT", "INSERT", "LET", "LOAD", "MERGE", "NEXT", "NODETACH",
    "PERIODIC", "PROFILE", "REALLOCATE", "REMOVE", "RENAME", "REVOKE", "SERVER", "SET", "SHOW", "START", "STOP", "TERMINATE",
    "USE", "USING", "YIELD",
];

/// What a word is where it is not a name for certain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyword {
    /// Begins a clause: after a complete operand, or first.
    Clause,
    /// Stands between operands: what is before it must be one.
    Infix,
    /// Stands before an operand: what is before it must not be one.
    Prefix,
    /// Is an operand itself.
    Operand,
}

fn keyword(word: &str) -> Option<Keyword> {
    Some(match word {
        "MATCH" | "OPTIONAL" | "UNWIND" | "RETURN" | "WITH" | "WHERE" | "ORDER" | "SKIP" | "OFFSET" | "LIMIT"
        | "UNION" => Keyword::Clause,
        "AND" | "OR" | "XOR" | "IN" | "IS" | "STARTS" | "ENDS" | "CONTAINS" | "AS" | "ASC" | "ASCENDING" | "DESC"
        | "DESCENDING" | "THEN" | "ELSE" | "END" => Keyword::Infix,
        "NOT" | "DISTINCT" | "CASE" | "BY" => Keyword::Prefix,
        "NULL" | "TRUE" | "FALSE" => Keyword::Operand,
        // `WHEN` follows `CASE` as well as an operand, `ALL` follows `UNION` and is a function: see `Reader::word`.
        _ => return None,
    })
}

/// Judges a whole statement.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<(), Refusal> {
    let Some(first) = tokens.first() else {
        return Err(Refusal { clause: String::new(), line: 1, column: 1, kind: RefusalKind::Empty });
    };
    if let Some(end) = tokens.iter().find(|token| token.is(';')) {
        return Err(end.refused("a second statement", RefusalKind::Several));
    }
    let mut reader = Reader { text, tokens, at: 0, frames: vec![Frame::new(Kind::Clauses)], before: Before::Start };
    if !["MATCH", "OPTIONAL", "UNWIND", "RETURN", "WITH"].iter().any(|word| first.is_word(word)) {
        return Err(reader.refuse_here(RefusalKind::Unknown));
    }
    while reader.at < tokens.len() {
        reader.step()?;
        reader.at += 1;
    }
    match reader.frames.len() {
        1 => Ok(()),
        _ => Err(tokens[tokens.len() - 1].refused("a missing bracket", RefusalKind::Bracket)),
    }
}

/// What a bracket encloses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The statement, or a subquery in braces.
    Clauses,
    Round,
    Square,
    /// A map, a map projection or a repetition.
    Braces,
}

struct Frame {
    kind: Kind,
    /// How many `CASE` wait for their `END`.
    cases: usize,
}

impl Frame {
    fn new(kind: Kind) -> Self {
        Self { kind, cases: 0 }
    }
}

/// What stands before the token in hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The statement or a bracket begins.
    Start,
    /// Something that can take an infix after it, and that no operand can follow.
    Operand,
    /// A keyword or punctuation after which an operand must come.
    Open,
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    // A stack of its own: depth is bounded by MAX_DEPTH, not by the thread's stack.
    frames: Vec<Frame>,
    before: Before,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<(), Refusal> {
        match &self.tokens[self.at].kind {
            TokenKind::Word(word) => self.word(&word.to_ascii_uppercase()),
            TokenKind::Quoted(_) => self.name(),
            TokenKind::Text | TokenKind::Number | TokenKind::Parameter(_) => self.operand(),
            TokenKind::Mark(mark) => self.mark(*mark),
            TokenKind::Range => {
                self.before = Before::Open;
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Refusal> {
        if self.is_name_for_certain() || self.is_alias_for_certain() {
            return self.name();
        }
        if REFUSED.binary_search(&word).is_ok() {
            return Err(self.refuse_here(RefusalKind::Clause));
        }
        let complete = self.before == Before::Operand;
        match word {
            // One keyword of two words.
            "WITH" if self.after_word("STARTS") || self.after_word("ENDS") => self.go_on(),
            "MATCH" if self.after_word("OPTIONAL") => self.go_on(),
            "ALL" | "DISTINCT" if self.after_word("UNION") => self.clause_follows(),
            "NOT" if self.after_word("IS") => self.go_on(),
            "WHEN" if self.frame().cases > 0 && (complete || self.after_word("CASE")) => self.go_on(),
            "WHEN" => Err(self.refuse_here(RefusalKind::Clause)),
            "THEN" | "ELSE" | "END" if self.frame().cases == 0 => Err(self.refuse_here(RefusalKind::Ambiguous)),
            "BY" if !self.after_word("ORDER") => Err(self.refuse_here(RefusalKind::Ambiguous)),
            "DISTINCT" if complete => Err(self.refuse_here(RefusalKind::Ambiguous)),
            _ => match keyword(word) {
                Some(Keyword::Clause) if complete || self.clause_may_begin() => self.clause(word),
                Some(Keyword::Infix) if complete => self.infix(word),
                Some(Keyword::Prefix) if !complete => self.prefix(word),
                Some(Keyword::Operand) => self.operand(),
                Some(_) => Err(self.refuse_here(RefusalKind::Ambiguous)),
                None => self.name(),
            },
        }
    }

    fn clause(&mut self, word: &str) -> Result<(), Refusal> {
        // Where no clauses stand, only the filters of patterns, comprehensions and list predicates do.
        if self.frame().kind != Kind::Clauses && word != "WHERE" {
            return Err(self.refuse_here(RefusalKind::Ambiguous));
        }
        if self.frame().cases > 0 {
            return Err(self.refuse_here(RefusalKind::Ambiguous));
        }
        let next = self.tokens.get(self.at + 1);
        let incomplete = match word {
            "OPTIONAL" => !next.is_some_and(|next| next.is_word("MATCH")),
            "ORDER" => !next.is_some_and(|next| next.is_word("BY")),
            _ => false,
        };
        if incomplete {
            return Err(self.refuse_next());
        }
        if word == "UNION" { self.clause_follows() } else { self.go_on() }
    }

    fn infix(&mut self, word: &str) -> Result<(), Refusal> {
        let next_is = |words: &[&str]| {
            self.tokens.get(self.at + 1).is_some_and(|next| words.iter().any(|word| next.is_word(word)))
        };
        let complete = match word {
            "IS" => next_is(&["NULL", "NOT"]),
            "STARTS" | "ENDS" => next_is(&["WITH"]),
            _ => true,
        };
        if !complete {
            return Err(self.refuse_here(RefusalKind::Ambiguous));
        }
        match word {
            "ASC" | "ASCENDING" | "DESC" | "DESCENDING" => self.before = Before::Operand,
            "END" => {
                self.frame_mut().cases -= 1;
                self.before = Before::Operand;
            }
            _ => self.before = Before::Open,
        }
        Ok(())
    }

    fn prefix(&mut self, word: &str) -> Result<(), Refusal> {
        if word == "CASE" {
            self.frame_mut().cases += 1;
            if self.frame().cases > MAX_DEPTH {
                return Err(self.refuse_here(RefusalKind::TooDeep));
            }
        }
        self.go_on()
    }

    /// A variable, label, type, property, key or function.
    fn name(&mut self) -> Result<(), Refusal> {
        self.operand()?;
        let called = self.tokens.get(self.at + 1).is_some_and(|next| next.is('('));
        if called { self.check_function() } else { Ok(()) }
    }

    fn operand(&mut self) -> Result<(), Refusal> {
        if self.before == Before::Operand {
            return Err(self.refuse_here(RefusalKind::Unknown));
        }
        self.before = Before::Operand;
        Ok(())
    }

    fn check_function(&self) -> Result<(), Refusal> {
        let mut first = self.at;
        while first >= 2 && self.tokens[first - 1].is('.') && self.spelled(first - 2).is_some() {
            first -= 2;
        }
        let parts = (first..=self.at).step_by(2).filter_map(|at| self.spelled(at));
        let name = parts.collect::<Vec<_>>().join(".");
        if functions::is_allowed(&name) {
            return Ok(());
        }
        Err(self.tokens[first].refused(format!("the function {name}"), RefusalKind::Function))
    }

    fn mark(&mut self, mark: char) -> Result<(), Refusal> {
        match mark {
            '(' => self.open(Kind::Round),
            '[' => self.open(Kind::Square),
            '{' => {
                let subquery = ["EXISTS", "COUNT", "COLLECT"].iter().any(|word| self.after_word(word));
                self.open(if subquery { Kind::Clauses } else { Kind::Braces })
            }
            ')' | ']' | '}' => self.close(mark),
            // `count(*)`, `WITH *`, `[*]` and `:%`: nothing need follow, and a clause may.
            '*' | '%' if self.before != Before::Operand => {
                self.before = Before::Operand;
                // `[*1..3]`, where the length follows.
                if self.tokens.get(self.at + 1).is_some_and(|next| next.kind == TokenKind::Number) {
                    self.before = Before::Open;
                }
                Ok(())
            }
            '*' if self.length_of_a_path() => {
                self.before = Before::Open;
                Ok(())
            }
            // `::` is a type to compare with.
            ':' if self.after_mark(':') => Err(self.refuse_here(RefusalKind::Token)),
            _ => {
                self.before = Before::Open;
                Ok(())
            }
        }
    }

    fn open(&mut self, kind: Kind) -> Result<(), Refusal> {
        if self.frames.len() > MAX_DEPTH {
            return Err(self.refuse_here(RefusalKind::TooDeep));
        }
        if kind == Kind::Clauses && !self.subquery_begins() {
            return Err(self.refuse_next());
        }
        self.frames.push(Frame::new(kind));
        self.before = Before::Start;
        Ok(())
    }

    fn close(&mut self, mark: char) -> Result<(), Refusal> {
        let fits = match self.frame().kind {
            Kind::Clauses => mark == '}' && self.frames.len() > 1,
            Kind::Round => mark == ')',
            Kind::Square => mark == ']',
            Kind::Braces => mark == '}',
        };
        if !fits || self.frame().cases > 0 {
            return Err(self.refuse_here(RefusalKind::Bracket));
        }
        self.frames.pop();
        self.before = Before::Operand;
        Ok(())
    }

    /// A property, a label or a key: what no grammar reads as a keyword.
    fn is_name_for_certain(&self) -> bool {
        let key = self.frame().kind == Kind::Braces
            && (self.after_mark('{') || self.after_mark(','))
            && self.tokens.get(self.at + 1).is_some_and(|next| next.is(':'));
        key || self.after_mark('.') || self.after_mark(':')
    }

    /// After an `AS` that cannot be a variable. In `WITH as SET as.x = 1` it is one, and `SET` is a clause.
    fn is_alias_for_certain(&self) -> bool {
        if !self.after_word("AS") || self.at < 3 {
            return false;
        }
        match &self.tokens[self.at - 2].kind {
            TokenKind::Text | TokenKind::Number | TokenKind::Parameter(_) | TokenKind::Quoted(_) => true,
            TokenKind::Mark(mark) => matches!(mark, ')' | ']' | '}'),
            TokenKind::Word(_) => self.tokens[self.at - 3].is('.') || self.tokens[self.at - 3].is(':'),
            TokenKind::Range => false,
        }
    }

    fn subquery_begins(&self) -> bool {
        let Some(next) = self.tokens.get(self.at + 1) else { return false };
        let pattern = next.is('(') || self.tokens.get(self.at + 2).is_some_and(|after| after.is('='));
        pattern || ["MATCH", "OPTIONAL", "UNWIND", "RETURN", "WITH"].iter().any(|word| next.is_word(word))
    }

    /// Whether a clause may stand where no operand is complete: first, or after `UNION`.
    fn clause_may_begin(&self) -> bool {
        self.before == Before::Start
            || self.after_word("UNION")
            || self.at >= 2
                && self.tokens[self.at - 2].is_word("UNION")
                && (self.after_word("ALL") || self.after_word("DISTINCT"))
    }

    fn length_of_a_path(&self) -> bool {
        self.frame().kind == Kind::Square
            && self.tokens.get(self.at + 1).is_some_and(|next| {
                next.is(']') || next.is('{') || matches!(next.kind, TokenKind::Range | TokenKind::Number)
            })
    }

    /// `UNION` and its `ALL`: the next token must begin a query.
    fn clause_follows(&mut self) -> Result<(), Refusal> {
        let words = ["ALL", "DISTINCT", "MATCH", "OPTIONAL", "UNWIND", "RETURN", "WITH"];
        let begin = if self.after_word("UNION") { &words[2..] } else { &words[..] };
        if !self.tokens.get(self.at + 1).is_some_and(|next| begin.iter().any(|word| next.is_word(word))) {
            return Err(self.refuse_next());
        }
        self.go_on()
    }

    fn go_on(&mut self) -> Result<(), Refusal> {
        self.before = Before::Open;
        Ok(())
    }

    fn after_word(&self, word: &str) -> bool {
        self.at > 0 && self.tokens[self.at - 1].is_word(word)
    }

    fn after_mark(&self, mark: char) -> bool {
        self.at > 0 && self.tokens[self.at - 1].is(mark)
    }

    fn spelled(&self, at: usize) -> Option<&str> {
        match &self.tokens[at].kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => Some(name),
            _ => None,
        }
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("the statement's own frame is never closed")
    }

    fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the statement's own frame is never closed")
    }

    /// Where a clause must follow and none does.
    fn refuse_next(&mut self) -> Refusal {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        self.refuse_here(RefusalKind::Unknown)
    }

    /// Names the token in hand, `LOAD CSV` by both its words.
    fn refuse_here(&self, kind: RefusalKind) -> Refusal {
        let token = &self.tokens[self.at];
        match &token.kind {
            TokenKind::Word(word) if REFUSED.binary_search(&word.to_ascii_uppercase().as_str()).is_ok() => {
                let second = self.tokens.get(self.at + 1);
                let csv = token.is_word("LOAD") && second.is_some_and(|second| second.is_word("CSV"));
                let clause = if csv { "LOAD CSV".to_owned() } else { word.to_ascii_uppercase() };
                token.refused(clause, RefusalKind::Clause)
            }
            TokenKind::Word(word) if kind == RefusalKind::Ambiguous => token.refused(word.to_ascii_uppercase(), kind),
            _ => token.refused(&self.text[token.start..token.end], kind),
        }
    }
}
