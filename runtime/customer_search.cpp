#include "runtime/customer_search.hpp"

#include "actors/messages.hpp"

#include <chrono>
#include <future>
#include <string>
#include <vector>

namespace runtime {
namespace {

using journeys::Customer;
using journeys::CustomerId;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

constexpr int hops_max = 8; ///< Tombstones followed before the search is given up.
constexpr auto patience = std::chrono::seconds{5};

Error no_answer() { return {ErrorCode::unavailable, "the customer's partition does not answer"}; }

/// Who was erased stays in memory for a while, without anything that is of them.
bool is_nobody(const Customer& customer) {
    return !customer.forward_to && customer.first_seen == journeys::Timestamp{} &&
           customer.known_ids.empty();
}

/// Asks one partition for one customer, tells `done`, and ends.
class Question final : public caf::event_based_actor {
public:
    /// With the block, which is empty for nobody; null: no answer.
    using Done = std::function<void(actors::Block, bool is_parked)>;
    Question(caf::actor_config& config, Done tell)
        : caf::event_based_actor(config), done_(std::move(tell)) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](const actors::CustomerState& state) {
                    done_(state.block ? state.block : actors::Block{std::string_view{}},
                          !state.quarantined.empty());
                    quit();
                },
                caf::after(patience) >>
                    [this] {
                        done_(nullptr, false);
                        quit();
                    }};
    }

private:
    Done done_;
};

/// Waits until a partition has received all that is acknowledged by now, tells `done`, and ends.
class CatchUp final : public caf::event_based_actor {
public:
    /// False: it did not answer.
    using Done = std::function<void(bool)>;
    CatchUp(caf::actor_config& config, Done tell)
        : caf::event_based_actor(config), done_(std::move(tell)) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](const actors::UpToDate&) { end(true); },
                caf::after(patience) >> [this] { end(false); }};
    }

private:
    void end(bool is_done) {
        done_(is_done);
        quit();
    }
    Done done_;
};

/// The customer behind an id: of several readings of the text the first that is known, behind
/// tombstones. Nobody is known for sure only once all that is acknowledged has been received.
class Search : public std::enable_shared_from_this<Search> {
public:
    using Done = std::function<void(FoundCustomer)>;
    Search(actors::System& system, std::string_view text, StateAsked state, Done done)
        : system_(system), is_behind_all_(state == StateAsked::acknowledged),
          done_(std::move(done)) {
        using Space = journeys::IdNamespace;
        if (const auto id = journeys::parse_customer_id(text)) candidates_.push_back(*id);
        if (text.find(':') == std::string_view::npos && !text.empty())
            for (const auto space : {Space::anonymous, Space::email, Space::phone, Space::shopify})
                candidates_.push_back({space, std::string{text}});
    }

    void next() {
        if (at_ < candidates_.size()) return look(candidates_[at_++], 0);
        if (candidates_.empty() || is_behind_all_) return done_(SearchedCustomer{});
        is_behind_all_ = true;
        at_ = 0;
        next();
    }

private:
    void look(const CustomerId& id, int hops) {
        if (!is_behind_all_) return ask(id, hops);
        if (!system_.has_started()) return done_(no_answer());
        const auto self = shared_from_this();
        auto waiting = system_.shard_of(id).spawn<CatchUp>([self, id, hops](bool is_done) {
            if (!is_done) return self->done_(no_answer());
            self->ask(id, hops);
        });
        actors::let_go_of_logger();
        const auto partition = actors::partition_of(id, system_.partitions());
        caf::anon_send(system_.partition(partition), actors::AskUpToDate{0, false, waiting});
    }

    void ask(const CustomerId& id, int hops) {
        const auto self = shared_from_this();
        auto question = system_.shard_of(id).spawn<Question>(
            [self, hops](const actors::Block& block, bool is_parked) {
                if (!block) return self->done_(no_answer());
                if (block->empty()) return self->next();
                auto customer = journeys::unpack(*block);
                if (!customer) return self->done_(std::move(customer).error());
                if (is_nobody(*customer)) return self->next();
                if (customer->forward_to && hops < hops_max)
                    return self->look(*customer->forward_to, hops + 1);
                self->done_(SearchedCustomer{std::make_shared<const Customer>(std::move(*customer)),
                                             is_parked});
            });
        actors::let_go_of_logger();
        system_.query(id, question);
    }

    actors::System& system_;
    std::vector<CustomerId> candidates_;
    std::size_t at_ = 0;
    bool
        is_behind_all_; ///< Each partition is asked only once it has received what is acknowledged.
    Done done_;
};

} // namespace

void find_customer(actors::System& system, std::string_view text, StateAsked state,
                   std::function<void(FoundCustomer)> done) {
    std::make_shared<Search>(system, text, state, std::move(done))->next();
}

Response answer_without(const FoundCustomer& found) {
    return found ? error_response(404, "no such customer") : failure_response(found.error());
}

Result<std::shared_ptr<const Customer>> wait_for_customer(actors::System& system,
                                                          const std::string& text) {
    auto promise = std::make_shared<std::promise<FoundCustomer>>();
    auto found = promise->get_future();
    find_customer(system, text, StateAsked::acknowledged,
                  [promise = std::move(promise)](FoundCustomer answer) {
                      promise->set_value(std::move(answer));
                  });
    try {
        auto answer = found.get();
        if (!answer) return std::move(answer).error();
        return std::move(answer->customer);
    } catch (const std::future_error&) { // The system ended before it answered.
        return no_answer();
    }
}

} // namespace runtime
