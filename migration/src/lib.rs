//! Tables of Loadbay.
