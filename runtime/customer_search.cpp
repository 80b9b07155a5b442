#include "runtime/customer_search.hpp"

#include "actors/messages.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace runtime {
namespace {

using journeys::Customer;
using journeys::CustomerId;

constexpr int hops_max = 8; ///< Tombstones followed before the search is given up.
constexpr auto patience = std::chrono::seconds{5};

/// Asks one partition for one customer, tells `done`, and ends.
class Question final : public caf::event_based_actor {
public:
    using Done = std::function<void(std::shared_ptr<const std::string>)>;
    Question(caf::actor_config& config, Done tell)
        : caf::event_based_actor(config), done_(std::move(tell)) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](const actors::CustomerState& state) {
                    done_(state.block);
                    quit();
                },
                caf::after(patience) >>
                    [this] {
                        done_(nullptr);
                        quit();
                    }};
    }

private:
    Done done_;
};

/// The customer behind an id: of several readings of the text the first that is known, behind
/// tombstones.
class Search : public std::enable_shared_from_this<Search> {
public:
    using Done = std::function<void(std::shared_ptr<const Customer>)>;
    Search(actors::System& system, std::string_view text, Done done)
        : system_(system), done_(std::move(done)) {
        using Space = journeys::IdNamespace;
        if (const auto id = journeys::parse_customer_id(text)) candidates_.push_back(*id);
        if (text.find(':') == std::string_view::npos && !text.empty())
            for (const auto space : {Space::anonymous, Space::email, Space::phone, Space::shopify})
                candidates_.push_back({space, std::string{text}});
    }

    void next() {
        if (at_ == candidates_.size()) return done_(nullptr);
        ask(candidates_[at_++], 0);
    }

private:
    void ask(const CustomerId& id, int hops) {
        const auto self = shared_from_this();
        auto question = system_.shard(0).spawn<Question>(
            [self, hops](const std::shared_ptr<const std::string>& block) {
                auto customer = block && !block->empty()
                                    ? journeys::unpack(*block)
                                    : journeys::Result<Customer>{
                                          journeys::Error{journeys::ErrorCode::not_found, ""}};
                if (!customer) return self->next();
                if (customer->forward_to && hops < hops_max)
                    return self->ask(*customer->forward_to, hops + 1);
                self->done_(std::make_shared<const Customer>(std::move(*customer)));
            });
        actors::let_go_of_logger();
        system_.query(id, question);
    }

    actors::System& system_;
    std::vector<CustomerId> candidates_;
    std::size_t at_ = 0;
    Done done_;
};

} // namespace

void find_customer(actors::System& system, std::string_view text, Search::Done done) {
    std::make_shared<Search>(system, text, std::move(done))->next();
}

} // namespace runtime
