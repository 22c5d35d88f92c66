#include "train/gradient_hook.h"

#include "base/error.h"
#include "train/trainer.h"

ddaebm_status ddaebm_trainer_set_gradient_hook(ddaebm_trainer *trainer, ddaebm_gradient_hook hook,
                                               void *user) {
    DD_REQUIRE(trainer);
    trainer->gradient_hook = (dd_gradient_hook){hook, user};
    return DDAEBM_OK;
}

ddaebm_status dd_gradient_hook_call(ddaebm_trainer *trainer, ddaebm_network network) {
    const dd_gradient_hook *hook = &trainer->gradient_hook;
    if (!hook->function)
        return DDAEBM_OK;
    ddaebm_status status =
        hook->function(hook->user, network, trainer->planned.gradients[network],
                       trainer->model->parameters.totals[network][DD_ROLE_WEIGHT]);
    if (status == DDAEBM_OK)
        return DDAEBM_OK;
    return dd_fail(status, "the gradient hook stopped step %llu",
                   (unsigned long long)trainer->step + 1);
}
