/// Addresses that must not be written to any more, whoever they belong to: asked last of all before
/// a request is written, and kept as keyed hashes, so that they outlive the erasure of a person.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace runtime {

struct SuppressedAddress {
    std::string kind;    ///< Of address: `email`, `phone`, …
    std::string address; ///< As `journeys::normal_address` writes it. Never stored or logged.
    std::string reason;  ///< `bounce`, `complaint`, `stop`, `unsubscribed`, `import`.
    std::string source;
};

/// Any thread. What `add` has answered is durable, and holds for every `contains` after it.
class Suppressions {
public:
    /// Opens the database and reads what it holds. `key`: of the hashes.
    static journeys::Result<std::unique_ptr<Suppressions>> open(std::string conninfo,
                                                                std::string key);
    ~Suppressions();

    /// Reads all of them anew: a process that stood by knows nothing of what another has added
    /// since. Not while this process adds any.
    journeys::Result<void> read();
    bool contains(std::string_view kind, std::string_view address) const;
    /// What is kept of these, without those of which nothing is.
    struct Kept {
        std::string kind, address, reason, source;
        journeys::Timestamp at{};
    };
    journeys::Result<std::vector<Kept>>
    find(const std::set<std::pair<std::string, std::string>>& kinds_and_addresses) const;
    /// An address that is known keeps the reason it has, unless that was `stop` only.
    journeys::Result<void> add(const std::vector<SuppressedAddress>& addresses,
                               journeys::Timestamp at);
    /// A person who said STOP says START. Bounces and complaints stay.
    journeys::Result<void> lift_stop(std::string_view kind, std::string_view address);
    std::size_t size() const;

    /// The keyed hash of a customer's id, for logs that must not name anybody.
    std::string subject(std::string_view customer) const;

private:
    class Session;
    Suppressions(std::string conninfo, std::string key);
    std::string hash(std::string_view kind, std::string_view address) const;

    std::string key_;
    std::unique_ptr<Session> session_;
    mutable std::shared_mutex mutex_;
    std::unordered_set<std::string> hashes_; ///< Guarded by `mutex_`; 16 bytes each.
};

/// A secret of this installation by its name, made at random where there is none yet.
journeys::Result<std::string> service_key(const std::string& conninfo, const std::string& name);

} // namespace runtime
