//! A program with one point, which the tests build as a release is built and search for its name.

fn main() {
    kill_points::kill_point!("witness.reached");
    eprintln!("the witness ends by itself");
}
