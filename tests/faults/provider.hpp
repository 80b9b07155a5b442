/// A provider as the service sees it, that does what a script says and remembers what it was given.
#pragma once

#include "tests/faults/loop.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace faults {

/// One request, by the intent that it is for.
struct Call {
    std::string id; ///< The header `webhook-id`, our idempotency key; Twilio's has it elsewhere.
    std::string path;
    int attempt = 1; ///< How often this id has come.
    std::string body{};
};

/// What becomes of it.
struct Answer {
    int status = 202;
    std::vector<std::pair<std::string, std::string>> headers{};
    bool accepts = true; ///< Whether the message counts as taken, whatever the service hears.
    enum class Way { reply, silence, reset, dribble } way = Way::reply;
    std::chrono::milliseconds delay{0};
};

class Provider {
public:
    using Script = std::function<Answer(const Call&)>;
    /// What came with one id.
    struct Seen {
        std::string path;
        int requests = 0, accepted = 0;
        int after_answer = 0; ///< Requests that came although an acceptance had been answered.
        std::set<std::string> payloads;
    };

    explicit Provider(Loop& loop);
    ~Provider();
    Provider(const Provider&) = delete;

    std::uint16_t port() const;
    void set(Script script); ///< Called on the loop's thread. By default everything is accepted.
    std::map<std::string, Seen> seen() const;
    int requests() const;

    struct Shared;

private:
    Loop& loop_;
    std::shared_ptr<Shared> shared_;
};

} // namespace faults
