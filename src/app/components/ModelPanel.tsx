import { chooseModel, loadWeights } from '../actions.ts';
import type { CardText, ModelState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { measured } from '../view/describe.ts';
import { Explained } from './Explained.tsx';
import { FileButton } from './FileButton.tsx';

export function ModelPanel() {
  const models = useApp((state) => state.models);
  const chosen = useApp((state) => state.model);
  const working = useApp((state) => state.work !== null);
  const model = models.find(({ id }) => id === chosen);
  return (
    <Explained title={text.model.title} sentence={text.model.sentence}>
      <div className="model-row">
        <select
          aria-label={text.model.label}
          value={chosen ?? ''}
          disabled={working || models.length === 0}
          onChange={(event) => chooseModel(event.target.value)}
        >
          {models.length === 0 && <option value="">{text.model.none}</option>}
          {models.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <FileButton
          label={text.model.load}
          accept=".safetensors,.pth,.pt,.ckpt,.bin"
          onFiles={([file]) => file && loadWeights(file)}
        >
          {text.model.load}
        </FileButton>
      </div>
      {model && <Card model={model} />}
    </Explained>
  );
}

function Card({ model }: { model: ModelState }) {
  const { card, variant, parameters } = model;
  return (
    <details className="card">
      <summary>
        {text.model.card}
        {variant && parameters !== null && <small>{text.model.variant(variant, parameters)}</small>}
      </summary>
      {card ? <CardBody card={card} /> : <p>{text.model.noCard}</p>}
    </details>
  );
}

function CardBody({ card }: { card: CardText }) {
  const said = [
    [text.model.tasks, card.tasks.join(' ')],
    [text.model.trained, card.trained],
    [text.model.data, card.data],
    [text.model.licence, card.licence],
    [text.model.limits, card.limits.join(' ')],
  ].filter(([, words]) => words);
  return (
    <>
      <table className="card-scores">
        <caption>{text.model.measured}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">PSNR</th>
            <th scope="col">SSIM</th>
            <th scope="col">RMSE</th>
          </tr>
        </thead>
        <tbody>
          {card.measured.map(({ task, units, input, restored }) => {
            const from = measured(input);
            const to = measured(restored);
            return (
              <tr key={task}>
                <th scope="row">{task}</th>
                <td>{`${from.psnr} → ${to.psnr}`}</td>
                <td>{`${input.ssim.toFixed(3)} → ${restored.ssim.toFixed(3)}`}</td>
                <td>
                  {`${from.rmse} → ${to.rmse}`} <small>{units}</small>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <dl>
        {said.map(([name, words]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
