#pragma once

// The session policy of a role that an agent assumes with a Policy of its own: STS takes one inline
// policy, and what it gets must allow no more than the remit's. Pure; internal to
// src/gateway/egress.

#include <string>
#include <string_view>

namespace remit::gateway {

// `ours` with statements that deny what `theirs` does not allow, as far as that can be said in a
// policy: the deny statements of `theirs` as they are, and, of its allow statements, every action
// that none of them names and every resource that none of them names. Conditions of allow
// statements are left out, and so is which action goes with which resource when there are several.
// So what comes out allows never more than `ours`, and all that `ours` and `theirs` both allow:
// what lies between is Remit's to refuse (CallFacts::narrowed_by).
//
// `ours` may be empty (the remit's policy went to STS as managed policies). Both are JSON that the
// engine took. Empty: nothing can be said beyond `ours`.
std::string combined_policy(std::string_view ours, std::string_view theirs);

}  // namespace remit::gateway
