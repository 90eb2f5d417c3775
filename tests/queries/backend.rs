//! Laws of questions that hold on either store, as one test for each.

use crate::company::Company;
use crate::database::{Engine, shared};
use crate::harness::Tested;
use crate::server::Server;

/// Where a server keeps its history.
#[derive(Clone, Copy)]
pub enum Backend {
    Embedded,
    Neo4j,
}

impl Backend {
    /// Runs a server with these flags on the history of a company, and has it checked.
    pub fn serve(self, flags: &[&str], check: impl FnOnce(&Server)) -> Tested {
        match self {
            Self::Embedded => check(&Company::found().serve(flags)),
            Self::Neo4j => {
                let database = shared(Engine::Neo4j)?.exclusive();
                Company::found().move_to(database.uri());
                check(&Server::start_on(database.uri(), flags));
            }
        }
        Ok(())
    }
}

/// Makes two tests of each law for a [`Backend`]: `laws![one_sentence, another_sentence];`
macro_rules! laws {
    ($($law:ident),+ $(,)?) => {
        pub(crate) fn laws() -> Vec<libtest_mimic::Trial> {
            use $crate::{backend::Backend::{Embedded, Neo4j}, harness::trial};
            vec![$(
                trial(module_path!(), concat!("embedded::", stringify!($law)), || $law(Embedded)),
                trial(module_path!(), concat!("neo4j::", stringify!($law)), || $law(Neo4j)),
            )+]
        }
    };
}
pub(crate) use laws;
